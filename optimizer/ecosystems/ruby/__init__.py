"""Ruby: Gemfiles, gemspecs, Gemfile.lock, and the models of Bundler and RubyGems."""
