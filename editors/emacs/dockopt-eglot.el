;;; dockopt-eglot.el --- dockopt in Emacs, through eglot  -*- lexical-binding: t; -*-

;; Emacs 28 with eglot 1.9 from a package, or Emacs 29 and newer, which bring eglot.  See README.md beside this file.

;;; Code:

(require 'eglot)

(defgroup dockopt nil "Dockerfiles that rebuild faster." :group 'tools)

(defcustom dockopt-command '("dockopt" "lsp")
  "The language server and its arguments."
  :type '(repeat string))

(defcustom dockopt-fix-on-save nil
  "Whether saving a Dockerfile applies everything that keeps the image."
  :type 'boolean)

(defconst dockopt-modes '(dockerfile-mode dockerfile-ts-mode)
  "Major modes in which the server is of use.")

(defun dockopt-contact (&rest _)
  "Return the command of the server, as eglot wants it."
  dockopt-command)

(dolist (mode dockopt-modes)
  (add-to-list 'eglot-server-programs (cons mode #'dockopt-contact)))

(defun dockopt-fix-all ()
  "Apply everything that keeps the image, as `dockopt fix --write' would; nothing is saved."
  (interactive)
  ;; eglot 1.9 compares kinds by equality, so the full name of the kind is asked for
  (dolist (action (append (dockopt--actions "source.fixAll.dockopt") nil))
    (when-let ((edit (plist-get action :edit)))
      (let ((eglot-confirm-server-initiated-edits nil))
        (eglot--apply-workspace-edit edit)))))

(defun dockopt--actions (kind)
  "Return the code actions of KIND for the whole buffer."
  ;; eglot waits for a pause before it tells the server of changes
  (eglot--signal-textDocument/didChange)
  (jsonrpc-request
   (eglot--current-server-or-lose) :textDocument/codeAction
   (list :textDocument (eglot--TextDocumentIdentifier)
         :range (list :start (eglot--pos-to-lsp-position (point-min))
                      :end (eglot--pos-to-lsp-position (point-max)))
         :context (list :diagnostics [] :only (vector kind)))))

(defun dockopt--before-save ()
  "Apply everything that keeps the image, if that is wanted."
  (when (and dockopt-fix-on-save (memq major-mode dockopt-modes) (eglot-current-server))
    (dockopt-fix-all)))

(add-hook 'before-save-hook #'dockopt--before-save)

(dolist (mode dockopt-modes)
  (add-hook (intern (format "%s-hook" mode)) #'eglot-ensure))

(provide 'dockopt-eglot)
;;; dockopt-eglot.el ends here
