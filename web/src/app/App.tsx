import { createTheme, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { PageSkeleton } from '../components/Skeletons.tsx';
import { BrowsePage } from '../pages/BrowsePage.tsx';
import { NotFoundPage } from '../pages/NotFoundPage.tsx';
import { SignInPage } from '../pages/SignInPage.tsx';
import { queryClient } from './query-client.ts';
import { Shell } from './Shell.tsx';
import { Toasts } from './Toasts.tsx';
import { useSession } from './use-session.ts';

const SearchPage = lazy(() => import('../pages/SearchPage.tsx'));
const ListingPage = lazy(() => import('../pages/ListingPage.tsx'));
const SellPage = lazy(() => import('../pages/SellPage.tsx'));
const EditListingPage = lazy(() => import('../pages/EditListingPage.tsx'));
const AccountPage = lazy(() => import('../pages/AccountPage.tsx'));
const ReviewPage = lazy(() => import('../pages/ReviewPage.tsx'));

/** Colours and sizes are CSS variables in `styles/base.css`: a style element made here would break the content policy. */
const theme = createTheme({ primaryColor: 'teal', cursorType: 'pointer', respectReducedMotion: true });

export function App() {
  return (
    <MantineProvider
      theme={theme}
      defaultColorScheme="auto"
      withCssVariables={false}
      withGlobalClasses={false}
    >
      <QueryClientProvider client={queryClient}>
        <Shell>
          <Suspense fallback={<PageSkeleton />}>
            <Pages />
          </Suspense>
        </Shell>
        <Toasts />
      </QueryClientProvider>
    </MantineProvider>
  );
}

function Pages() {
  const session = useSession();
  const staff = session?.roles.some((role) => role === 'moderator' || role === 'admin') ?? false;
  return (
    <Switch>
      <Route path="/" component={BrowsePage} />
      <Route path="/search" component={SearchPage} />
      <Route path="/listings/:itemId">{({ itemId }) => <ListingPage key={itemId} itemId={itemId} />}</Route>
      <Route path="/sign-in" component={SignInPage} />
      <Route path="/sell">{session ? <SellPage session={session} /> : <SignInPage />}</Route>
      <Route path="/sell/:itemId">
        {({ itemId }) => (session ? <EditListingPage key={itemId} itemId={itemId} /> : <SignInPage />)}
      </Route>
      <Route path="/account">{session ? <AccountPage session={session} /> : <SignInPage />}</Route>
      <Route path="/review">{staff ? <ReviewPage /> : <SignInPage />}</Route>
      <Route component={NotFoundPage} />
    </Switch>
  );
}
