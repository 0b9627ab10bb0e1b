graphql`
  subscription NewVideosSubscription($after: String) {
    newVideo(after: $after) {
      cursor
      lesson {
        title
        course {
          title
        }
      }
    }
  }
`;
