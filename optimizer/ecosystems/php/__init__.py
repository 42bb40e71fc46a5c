"""PHP: composer.json, composer.lock, and the models of Composer and of the scripts of the php image."""
