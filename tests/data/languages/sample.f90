module shop
  use iso_fortran_env, only: real64
  use items
  implicit none
  integer, parameter :: limit = 10
  real :: counter

  type, extends(base) :: cart
    integer :: count
    real(real64), allocatable :: prices(:)
  contains
    procedure :: total => cart_total
  end type cart

  interface price
    module procedure price_int
  end interface

contains

  function cart_total(self, scale) result(answer)
    class(cart), intent(in) :: self
    real, intent(in) :: scale
    real :: answer
    real :: local
    local = helper(scale)
    answer = sum(self%prices) * local
  end function cart_total

  pure real function helper(x)
    real, intent(in) :: x
    helper = x * limit
  end function

  subroutine clear(self)
    class(cart), intent(inout) :: self
    call reset(self%count)
  end subroutine clear

end module shop

program main
  use shop
  type(cart) :: mine
  call clear(mine)
end program main
