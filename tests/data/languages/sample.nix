{ pkgs ? import <nixpkgs> { }, lib, ... }:

let
  limit = 10;
  helper = x: x * limit;
  add = { a, b ? 1 }: a + b;
in
rec {
  inherit (pkgs) hello;
  name = "shop";
  total = items: builtins.foldl' (acc: x: acc + helper x) 0 items;
  meta.license = lib.licenses.mit;

  services.cart = {
    enable = true;
    port = 8080;
  };

  package = pkgs.stdenv.mkDerivation {
    pname = "shop";
    src = ./src;
    buildPhase = ''
      echo ${name}
    '';
  };

  module = import ./module.nix;
}
