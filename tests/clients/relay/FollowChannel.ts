graphql`
  mutation FollowChannelMutation($input: FollowChannelInput!) {
    followChannel(input: $input) {
      channel {
        followerCount
        viewerFollows
      }
      userErrors {
        code
        field
        message
      }
    }
  }
`;
