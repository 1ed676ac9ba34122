`timescale 1ns/1ps
`include "defs.svh"
`define LIMIT 10

package shop_pkg;
  parameter int WIDTH = 8;
  typedef enum logic [1:0] { RED, GREEN } color_t;
  typedef struct packed {
    logic [7:0] count;
  } item_t;
  function automatic int double(int x);
    return x * 2;
  endfunction
endpackage

interface bus_if(input logic clk);
  logic valid;
  modport master(output valid);
endinterface

module cart #(
  parameter SIZE = 4
) (
  input  logic clk,
  output logic [7:0] total
);
  import shop_pkg::*;
  localparam DEPTH = 2;
  logic [7:0] count;

  counter #(.W(8)) u_counter (.clk(clk), .out(count));

  task automatic clear(input int x);
    count = 0;
  endtask

  always_ff @(posedge clk) begin
    total <= double(count);
  end
endmodule

class Shape extends Base;
  rand int size;
  function new(int s);
    size = s;
  endfunction
  virtual function int area();
    return helper(size);
  endfunction
endclass
