#!/bin/sh
# A flat Debian repository of what was downloaded to it and of three packages made here: `plain` with scripts that do what
# scripts of packages do, `needs` that depends on it, and `removable`.
set -eu
mkdir -p /packages/deb
cd /packages/deb
package() {
  mkdir -p "/tmp/$1/DEBIAN" "/tmp/$1/usr/share/$1" "/tmp/$1/etc"
  printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: a test\n%s' "$1" "${2:-}" >"/tmp/$1/DEBIAN/control"
  echo "of $1" >"/tmp/$1/usr/share/$1/data"
  echo "setting=$1" >"/tmp/$1/etc/$1.conf"
  echo "/etc/$1.conf" >"/tmp/$1/DEBIAN/conffiles"
}
build() {
  dpkg-deb --root-owner-group --build "/tmp/$1" . >/dev/null
  rm -rf "/tmp/$1"
}
package plain
cat >/tmp/plain/DEBIAN/postinst <<'S'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  getent passwd _plain >/dev/null || useradd --system --home-dir /var/lib/plain --no-create-home --shell /usr/sbin/nologin _plain
  mkdir -p /var/lib/plain
  chown _plain /var/lib/plain
  update-alternatives --install /usr/bin/plainly plainly /usr/bin/env 10
fi
S
chmod 755 /tmp/plain/DEBIAN/postinst
build plain
package needs 'Depends: plain
'
build needs
package removable
printf '#!/bin/sh\nset -e\n[ "$1" != purge ] || rm -rf /var/lib/removable\n' >/tmp/removable/DEBIAN/postrm
chmod 755 /tmp/removable/DEBIAN/postrm
build removable
for file in *.deb; do
  dpkg-deb --field "$file"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
done >Packages
