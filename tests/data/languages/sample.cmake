cmake_minimum_required(VERSION 3.20)
project(shop LANGUAGES CXX)

include(GNUInstallDirs)
find_package(Boost REQUIRED)
add_subdirectory(src)

set(LIMIT 10)
option(WITH_TESTS "Build the tests" ON)

function(add_cart name)
  set(local 1)
  message(STATUS "${name} ${LIMIT}")
endfunction()

macro(twice x)
  helper(${x})
endmacro()

add_library(cart STATIC cart.cpp)
add_executable(shop main.cpp)
target_link_libraries(shop PRIVATE cart)

if(WITH_TESTS)
  add_test(NAME cart_test COMMAND shop)
  add_custom_target(docs)
endif()

add_cart(cart)
