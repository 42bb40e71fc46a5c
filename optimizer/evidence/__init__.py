"""What a project itself says about the versions of its languages: in version files, manifests and CI workflows."""
