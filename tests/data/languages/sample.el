;;; sample.el --- A shop  -*- lexical-binding: t; -*-
(require 'cl-lib)
(require 'shop-item)

(defgroup shop nil "A shop." :group 'tools)

(defcustom shop-limit 10
  "How many."
  :type 'integer)

(defvar shop--counter 0 "Counts.")
(defconst shop-version "1.0")

(cl-defstruct shop-cart items owner)

(defun shop-total (cart)
  "Sum up CART."
  (interactive)
  (let ((local (shop--helper cart)))
    (+ local shop-limit)))

(cl-defun shop--helper (x &key (y 1))
  (* x y))

(defmacro shop-with (cart &rest body)
  `(let ((it ,cart)) ,@body))

(define-minor-mode shop-mode
  "Shop." :lighter " shop"
  (shop-total nil))

(cl-defgeneric shop-price (thing))
(cl-defmethod shop-price ((thing shop-cart))
  (shop-total thing))

(defalias 'shop-sum #'shop-total)

(defclass shop-window (eieio-base)
  ((width :initarg :width)
   (height :initform 1))
  "A window.")

(provide 'sample)
;;; sample.el ends here
