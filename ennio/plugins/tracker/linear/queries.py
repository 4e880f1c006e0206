"""What is asked of Linear, word for word. Its schema is public; the tests hold
every text here against it.
"""

from __future__ import annotations

_COMMENTS = """
      nodes { id body createdAt user { displayName } botActor { name } externalUser { displayName } }
      pageInfo { hasNextPage endCursor }"""  # noqa: E501

ISSUE = f"""
query Issue($id: String!) {{
  issue(id: $id) {{
    identifier title description url branchName
    state {{ type }}
    labels(first: 50) {{ nodes {{ name }} }}
    parent {{ identifier title description }}
    comments(first: 50) {{{_COMMENTS}
    }}
  }}
}}"""

MORE_COMMENTS = f"""
query MoreComments($id: String!, $after: String!) {{
  issue(id: $id) {{
    comments(first: 50, after: $after) {{{_COMMENTS}
    }}
  }}
}}"""

ISSUES = """
query Issues($filter: IssueFilter!, $after: String) {
  issues(first: 50, after: $after, filter: $filter) {
    nodes {
      identifier title description url branchName
      state { type }
      labels(first: 20) { nodes { name } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""

STANDING = """
query Standing($id: String!, $comment: ID!, $url: String!) {
  issue(id: $id) {
    id
    state { id name type position }
    team { states(first: 100) { nodes { id name type position } } }
    comments(first: 1, filter: { id: { eq: $comment } }) { nodes { id } }
    attachments(first: 1, filter: { url: { eq: $url } }) { nodes { title subtitle } }
  }
}"""

MOVE = """
mutation Move($id: String!, $state: String!) {
  issueUpdate(id: $id, input: { stateId: $state }) { success }
}"""

COMMENT = """
mutation Comment($input: CommentCreateInput!) {
  commentCreate(input: $input) { success }
}"""

ATTACH = """
mutation Attach($input: AttachmentCreateInput!) {
  attachmentCreate(input: $input) { success }
}"""

WHO = "query Who { viewer { name } }"

ALL = (ISSUE, MORE_COMMENTS, ISSUES, STANDING, MOVE, COMMENT, ATTACH, WHO)
