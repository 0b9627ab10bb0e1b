// A list of a node: Relay fetches further pages with `node(id)`, here backwards too.
graphql`
  query ChannelPageQuery($id: ID!) {
    node(id: $id) {
      ...ChannelPage_channel @alias(as: "channel")
    }
  }
`;

graphql`
  fragment ChannelPage_channel on Channel
  @argumentDefinitions(
    first: { type: "Int", defaultValue: 20 }
    after: { type: "String" }
    last: { type: "Int" }
    before: { type: "String" }
  )
  @refetchable(queryName: "ChannelPagePaginationQuery") {
    name
    viewerFollows
    courses(first: $first, after: $after, last: $last, before: $before) @connection(key: "ChannelPage_courses") {
      edges {
        node {
          title
        }
      }
    }
  }
`;
