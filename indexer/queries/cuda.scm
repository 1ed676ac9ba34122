; inherits: cpp
; What C++ has is what CUDA has.
