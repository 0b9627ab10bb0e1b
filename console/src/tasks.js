// Ready operations for the daily work. A test runs each of them against the schema.
//
// What has to be filled in is in the variables, as an example that the server refuses: nothing happens by a click alone.

const page = (variables) => JSON.stringify(variables, null, 2);

export const CATALOG = `# Ctrl-Enter runs, Ctrl-Space completes.
# The book on the left holds the schema.
query Catalog {
  courses(first: 5) {
    totalCount
    nodes {
      title
      slug
      lessonCount
      instructor {
        name
      }
    }
  }
}
`;

export const NEW_VIDEOS = `# Runs until you stop it: first its start, then
# each video when its lesson is published.
subscription NewVideos {
  newVideo {
    cursor
    isStart
    lesson {
      title
    }
    course {
      title
    }
  }
}
`;

export const GROUPS = [
  {
    title: 'People',
    tasks: [
      {
        title: 'Find a user',
        query: `# A part of the name or of the e-mail address.
query FindUser($filter: UserFilter) {
  users(filter: $filter, first: 20) {
    totalCount
    nodes {
      id
      name
      email
      role
      createdAt
      lastSignInAt
      ban {
        reason
        endsAt
      }
    }
  }
}
`,
        variables: page({ filter: { query: 'lyceum' } }),
      },
      {
        title: 'Ban a user',
        changes: true,
        query: `# Ends their sessions within a second; a mail tells them why.
# Without endsAt, the ban is permanent.
mutation BanUser($input: BanUserInput!) {
  banUser(input: $input) {
    user {
      id
      name
      ban {
        reason
        startedAt
        endsAt
      }
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { userId: 'user_…', reason: '', endsAt: null } }),
      },
      {
        title: 'Lift a ban',
        changes: true,
        query: `mutation UnbanUser($input: UnbanUserInput!) {
  unbanUser(input: $input) {
    user {
      id
      name
      ban {
        reason
      }
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { userId: 'user_…' } }),
      },
      {
        title: 'Change a role',
        changes: true,
        query: `# STUDENT, INSTRUCTOR or ADMIN.
mutation ChangeRole($input: ChangeUserRoleInput!) {
  changeUserRole(input: $input) {
    user {
      id
      name
      role
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { userId: 'user_…', role: 'INSTRUCTOR' } }),
      },
    ],
  },
  {
    title: 'Courses',
    tasks: [
      {
        title: 'Drafts and scheduled courses',
        query: `query Drafts {
  courses(filter: { statuses: [DRAFT, SCHEDULED] }, first: 20) {
    totalCount
    nodes {
      id
      title
      status
      publishAt
      lessonCount
      updatedAt
      instructor {
        name
        email
      }
    }
  }
}
`,
      },
      {
        title: 'Give access to a course',
        changes: true,
        query: `# Without expiresAt, the access is permanent.
mutation GrantAccess($input: GrantCourseAccessInput!) {
  grantCourseAccess(input: $input) {
    entitlement {
      id
      startsAt
      expiresAt
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { userId: 'user_…', courseId: 'course_…', expiresAt: null, reason: '' } }),
      },
      {
        title: 'Take the access back',
        changes: true,
        query: `# Only what an administrator gave: what was bought stays.
mutation RevokeAccess($input: RevokeCourseAccessInput!) {
  revokeCourseAccess(input: $input) {
    entitlement {
      id
      source
      endedAt
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { userId: 'user_…', courseId: 'course_…', reason: '' } }),
      },
    ],
  },
  {
    title: 'Background work',
    tasks: [
      {
        title: 'Dead jobs',
        query: `# They failed eight times and wait for you.
query DeadJobs {
  jobs(filter: { states: [DEAD] }, first: 20) {
    totalCount
    nodes {
      id
      kind
      attempts
      diedAt
      lastError
    }
  }
}
`,
      },
      {
        title: 'Try a dead job again',
        changes: true,
        query: `# Its id is in “Dead jobs”. The audit log records it.
mutation ReplayJob($input: ReplayJobInput!) {
  replayJob(input: $input) {
    job {
      id
      kind
      state
      runAt
    }
    userErrors {
      code
      field
      message
    }
  }
}
`,
        variables: page({ input: { jobId: 'job_…' } }),
      },
      {
        title: 'The queue',
        query: `# What waits, runs, or has failed and is tried again.
query Queue($filter: JobFilter) {
  jobs(filter: $filter, first: 20) {
    totalCount
    nodes {
      id
      kind
      state
      attempts
      runAt
      lastError
    }
  }
}
`,
        variables: page({ filter: { states: ['WAITING', 'RUNNING', 'RETRYING'] } }),
      },
    ],
  },
  {
    title: 'Audit log',
    tasks: [
      {
        title: 'Latest entries',
        query: `query AuditLog($filter: AuditFilter) {
  auditEntries(filter: $filter, first: 20) {
    nodes {
      createdAt
      action
      actor {
        name
      }
      subject {
        name
      }
      ip
      requestId
      details {
        __typename
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
        variables: page({ filter: {} }),
      },
      {
        title: 'Failed sign-ins',
        query: `query FailedSignIns {
  auditEntries(filter: { actions: [SIGN_IN_FAILED, SECOND_FACTOR_FAILED] }, first: 20) {
    nodes {
      createdAt
      action
      subject {
        name
        email
      }
      ip
      device {
        browser
        os
      }
    }
  }
}
`,
      },
    ],
  },
  {
    title: 'Explore',
    tasks: [
      { title: 'The catalog', query: CATALOG },
      { title: 'New videos, live', query: NEW_VIDEOS },
    ],
  },
];

/** Links to what the server has besides: it says at `/` which of these there are. */
export const LINKS = {
  '/dev/mail': 'Mails',
  '/healthz': 'Health',
  '/readyz': 'Readiness',
  '/metrics': 'Metrics',
  '/openapi.json': 'Other routes',
};
