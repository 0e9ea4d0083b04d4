import './shell.css';
import { IconHome, IconPhotoPlus, IconShieldCheck, IconUser } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useRoute } from 'wouter';
import { SchemeToggle } from './SchemeToggle.tsx';
import { useSession } from './use-session.ts';

/** What is around every page: header with navigation, which on phones is a bar at the bottom. */
export function Shell({ children }: { children: ReactNode }) {
  const session = useSession();
  const staff = session?.roles.some((role) => role === 'moderator' || role === 'admin') ?? false;
  return (
    <div className="shell">
      <a className="shell__skip" href="#content">
        Skip to content
      </a>
      <header className="shell__head">
        <Link href="/" className="shell__brand" aria-label="LocalEx, home">
          <img src="/favicon.svg" width={28} height={28} alt="" />
          <span>LocalEx</span>
        </Link>
        <nav className="shell__nav" aria-label="Main">
          <NavItem href="/" icon={<IconHome size={22} aria-hidden />} label="Browse" also="/listings/:id" />
          <NavItem
            href="/sell"
            icon={<IconPhotoPlus size={22} aria-hidden />}
            label="Sell"
            also="/sell/:id"
          />
          {staff && (
            <NavItem href="/review" icon={<IconShieldCheck size={22} aria-hidden />} label="Review" />
          )}
          <NavItem
            href={session ? '/account' : '/sign-in'}
            icon={<IconUser size={22} aria-hidden />}
            label={session ? 'Account' : 'Sign in'}
          />
        </nav>
        <SchemeToggle />
      </header>
      <main id="content" className="shell__main" tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function NavItem({
  href,
  icon,
  label,
  also,
}: {
  href: string;
  icon: ReactNode;
  label: string;
  also?: string;
}) {
  const [isHere] = useRoute(href);
  const [isBelow] = useRoute(also ?? href);
  return (
    <Link href={href} className="shell__link" aria-current={isHere || isBelow ? 'page' : undefined}>
      {icon}
      <span>{label}</span>
    </Link>
  );
}
