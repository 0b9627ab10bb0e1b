// A list on the root: paginated with `after`, filtered by a variable.
graphql`
  query CourseCatalogQuery($filter: CourseFilter) {
    ...CourseCatalog_courses @arguments(filter: $filter)
  }
`;

graphql`
  fragment CourseCatalog_courses on Query
  @argumentDefinitions(
    count: { type: "Int", defaultValue: 20 }
    cursor: { type: "String" }
    filter: { type: "CourseFilter" }
  )
  @refetchable(queryName: "CourseCatalogPaginationQuery") {
    courses(first: $count, after: $cursor, filter: $filter) @connection(key: "CourseCatalog_courses") {
      edges {
        node {
          id
          title
          price {
            amount
            currency
          }
          publishedAt
        }
      }
      totalCount
    }
  }
`;
