// Next's middleware (until version 15 it was called middleware.js): runs before each page. Pages cannot set cookies
// while they render, so this is the place to refresh the session.
import { NextResponse } from 'next/server';
import { ACCESS, keep, REFRESH, refresh } from './lyceum.js';

export async function proxy(request) {
  const refreshToken = request.cookies.get(REFRESH)?.value;
  if (!refreshToken || request.cookies.has(ACCESS)) return NextResponse.next();
  const tokens = await refresh(refreshToken, request.headers.get('user-agent'));
  // The page that is rendered now sees the new token …
  if (tokens) request.cookies.set(ACCESS, tokens.accessToken);
  else request.cookies.delete(REFRESH);
  const response = NextResponse.next({ request });
  // … and so does the browser's next request.
  keep(response.cookies, tokens);
  return response;
}

export const config = { matcher: '/((?!_next/|favicon.ico).*)' };
