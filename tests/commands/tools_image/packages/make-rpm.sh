#!/bin/sh
# An rpm repository with `simple`, an installed `old`, and the settings with which dnf finds rpm's data base where Red Hat has it.
set -eu
mkdir -p /packages/rpm /etc/yum.repos.d /etc/rpm
echo '%_dbpath /var/lib/rpm' >/etc/rpm/macros
package() {
  { echo "Name: $1"; cat; } >"/tmp/$1.spec" <<'S'
Version: 1
Release: 1
Summary: a test
License: none
BuildArch: noarch
Provides: /bin/sh
%description
A test.
%install
mkdir -p %{buildroot}/usr/share/%{name}
echo of %{name} >%{buildroot}/usr/share/%{name}/data
%post
mkdir -p /var/lib/%{name}
%files
/usr/share/%{name}
S
  rpmbuild --quiet -bb --define '_topdir /tmp/rpmbuild' --define "_rpmdir $2" "/tmp/$1.spec"
  rm -rf /tmp/rpmbuild "/tmp/$1.spec"
}
package old /tmp/old
package simple /packages/rpm
rpm --install --nodeps /tmp/old/noarch/*.rpm
rm -rf /tmp/old
createrepo_c --quiet /packages/rpm
