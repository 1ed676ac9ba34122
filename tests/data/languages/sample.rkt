#lang racket/base
(require racket/list "item.rkt" (only-in shop/price cents))
(provide total)

(define limit 10)

(struct cart (items owner) #:transparent)

(define (total cart)
  (define local (helper cart))
  (+ local limit))

(define ((curried a) b) (+ a b))

(define-syntax-rule (swap! a b)
  (let ([tmp a]) (set! a b) (set! b tmp)))

(define-values (low high) (values 1 2))

(define counter%
  (class object%
    (init-field start)
    (define/public (step x) (total x))
    (super-new)))

(module+ test
  (define sample (cart '() "me")))
