(defpackage :shop
  (:use :cl)
  (:export #:total))

(in-package :shop)

(defconstant +limit+ 10)
(defvar *counter* 0)
(defparameter *owner* "me")

(defstruct line count price)

(defclass cart (base)
  ((items :initarg :items :accessor items)
   (owner :initform nil)))

(defgeneric price (thing)
  (:documentation "In cents."))

(defmethod price ((thing cart))
  (reduce #'+ (items thing)))

(defun total (cart &optional (scale 1))
  "Sums it up."
  (let ((local (helper cart)))
    (flet ((inner (x) (* x scale)))
      (inner local))))

(defmacro with-cart ((var) &body body)
  `(let ((,var (make-instance 'cart))) ,@body))

(define-condition empty-cart (error) ())

(deftype amount () 'integer)
