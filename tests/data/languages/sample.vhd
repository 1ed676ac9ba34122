library ieee;
use ieee.std_logic_1164.all;

package shop_pkg is
  constant LIMIT : integer := 10;
  type color_t is (RED, GREEN);
  subtype small_t is integer range 0 to 7;
  function double(x : integer) return integer;
end package;

package body shop_pkg is
  function double(x : integer) return integer is
  begin
    return x * 2;
  end function;
end package body;

entity cart is
  generic (WIDTH : integer := 8);
  port (
    clk   : in  std_logic;
    total : out std_logic_vector(7 downto 0)
  );
end entity cart;

architecture rtl of cart is
  signal count : integer := 0;
  component counter is
    port (clk : in std_logic);
  end component;
  procedure clear(signal x : out integer) is
  begin
    x <= 0;
  end procedure;
begin
  u_counter : counter port map (clk => clk);

  main : process(clk)
    variable local : integer;
  begin
    if rising_edge(clk) then
      count <= double(count);
    end if;
  end process main;
end architecture rtl;
