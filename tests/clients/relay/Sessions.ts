// Relay refetches a fragment on the type `Viewer` with the root field `viewer`: it needs no id.
graphql`
  query SessionsQuery {
    viewer {
      ...Sessions_viewer
    }
  }
`;

graphql`
  fragment Sessions_viewer on Viewer
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "SessionsPaginationQuery") {
    sessions(first: $count, after: $cursor) @connection(key: "Sessions_sessions") {
      edges {
        node {
          id
          lastUsedAt
        }
      }
    }
  }
`;
