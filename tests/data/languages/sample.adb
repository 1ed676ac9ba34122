with Ada.Text_IO; use Ada.Text_IO;
with Items;

package body Shop is

   Limit : constant Integer := 10;
   Counter : Integer := 0;

   type Color is (Red, Green);

   type Cart is record
      Count : Integer;
      Owner : String (1 .. 4);
   end record;

   subtype Small is Integer range 0 .. 7;

   Empty : exception;

   function Helper (X : Integer) return Integer is
   begin
      return X * Limit;
   end Helper;

   procedure Add (Self : in out Cart; N : Integer) is
      Local : Integer := Helper (N);

      procedure Inner is
      begin
         Put_Line ("in");
      end Inner;
   begin
      Inner;
      Self.Count := Self.Count + Local;
   end Add;

   task type Worker is
      entry Start;
   end Worker;

   package Nested is
      function Price (X : Integer) return Integer;
   end Nested;

end Shop;
