(define-library (shop cart)
  (import (scheme base))
  (export total))

(import (srfi 1) (only (shop item) price))

(define limit 10)

(define (string->cents s)
  (* 100 (string->number s)))

(define total
  (lambda (cart)
    (let ((local (helper cart)))
      (+ local limit))))

(define (counter start)
  (define (step) (+ start 1))
  (step))

(define-syntax swap!
  (syntax-rules ()
    ((_ a b) (let ((tmp a)) (set! a b) (set! b tmp)))))

(define-record-type <cart>
  (make-cart items owner)
  cart?
  (items cart-items set-cart-items!)
  (owner cart-owner))
