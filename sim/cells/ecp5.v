// Cells of the ECP5 as CXXRTL can simulate them, with what synth_ecp5 makes of them; a parameter that it never sets
// otherwise and that would change what a cell does names a module that does not exist. Inputs that nothing drives are
// 0. Sources: Lattice, ECP5 Family Data Sheet and Memory Usage Guide; Project Trellis; Yosys, techlibs/lattice.

// A bit at a time: constants then leave little of it, which a C++ compiler is thankful for.
module LUT4 (input A, B, C, D, output Z);
  parameter [15:0] INIT = 0;
  wire [7:0] eight;
  wire [3:0] four;
  wire [1:0] two;
  genvar at;
  generate
    for (at = 0; at < 8; at = at + 1) assign eight[at] = A ? INIT[2 * at + 1] : INIT[2 * at];
    for (at = 0; at < 4; at = at + 1) assign four[at] = B ? eight[2 * at + 1] : eight[2 * at];
    for (at = 0; at < 2; at = at + 1) assign two[at] = C ? four[2 * at + 1] : four[2 * at];
  endgenerate
  assign Z = D ? two[1] : two[0];
endmodule

module PFUMX (input ALUT, BLUT, C0, output Z);
  assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (input D0, D1, SD, output Z);
  assign Z = SD ? D1 : D0;
endmodule

// Half of a carry cell: a table of four inputs says whether the carry goes on, one of two what it is else.
module carry_half (input A, B, C, D, CIN, output S, COUT);
  parameter [15:0] INIT = 0;
  parameter INJECT = "YES";
  wire goes_on, made;
  LUT4 #(.INIT(INIT)) four (.A(A), .B(B), .C(C), .D(D), .Z(goes_on));
  LUT4 #(.INIT({4{INIT[3:0]}})) two (.A(A), .B(B), .C(1'b0), .D(1'b0), .Z(made));
  assign S = goes_on ^ (CIN & INJECT != "YES");
  assign COUT = goes_on ? CIN : made & INJECT != "YES";
endmodule

module CCU2C (input CIN, A0, B0, C0, D0, A1, B1, C1, D1, output S0, S1, COUT);
  parameter [15:0] INIT0 = 0, INIT1 = 0;
  parameter INJECT1_0 = "YES", INJECT1_1 = "YES";
  wire middle;
  carry_half #(.INIT(INIT0), .INJECT(INJECT1_0)) low
    (.A(A0), .B(B0), .C(C0), .D(D0), .CIN(CIN), .S(S0), .COUT(middle));
  carry_half #(.INIT(INIT1), .INJECT(INJECT1_1)) high
    (.A(A1), .B(B1), .C(C1), .D(D1), .CIN(middle), .S(S1), .COUT(COUT));
endmodule

module TRELLIS_FF (input CLK, LSR, CE, DI, M, output reg Q);
  parameter GSR = "ENABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR";
  parameter SRMODE = "LSR_OVER_CE", REGSET = "RESET", LSRMODE = "LSR";
  localparam START = REGSET == "SET";
  wire enable = CEMUX == "1" | (CEMUX == "INV" ? !CE : CEMUX == "CE" & CE);
  initial Q = START;
  generate
    if (LSRMODE != "LSR" || LSRMUX != "LSR") TRELLIS_FF_that_is_loaded_or_has_an_inverted_reset refused ();
    else if (SRMODE == "ASYNC" && CLKMUX == "INV") begin
      always @(negedge CLK, posedge LSR) if (LSR) Q <= START; else if (enable) Q <= DI;
    end else if (SRMODE == "ASYNC") begin
      always @(posedge CLK, posedge LSR) if (LSR) Q <= START; else if (enable) Q <= DI;
    end else if (CLKMUX == "INV") begin
      always @(negedge CLK) if (LSR) Q <= START; else if (enable) Q <= DI;
    end else begin
      always @(posedge CLK) if (LSR) Q <= START; else if (enable) Q <= DI;
    end
  endgenerate
endmodule

// Memory in LUTs, 16 words of 4 bits: written by the clock, read without one.
module TRELLIS_DPR16X4 (input [3:0] DI, WAD, RAD, input WRE, WCK, output [3:0] DO);
  parameter WCKMUX = "WCK", WREMUX = "WRE";
  parameter [63:0] INITVAL = 0;
  reg [3:0] words [0:15];
  integer at;
  initial for (at = 0; at < 16; at = at + 1) words[at] = INITVAL[4 * at +: 4];
  assign DO = words[RAD];
  generate
    if (WREMUX != "WRE") TRELLIS_DPR16X4_without_a_plain_write_enable refused ();
    else if (WCKMUX == "INV") begin
      always @(negedge WCK) if (WRE) words[WAD] <= DI;
    end else begin
      always @(posedge WCK) if (WRE) words[WAD] <= DI;
    end
  endgenerate
endmodule

// Block RAM of 512 rows of 36 bits; the upper ninth bits, 8, 17, 26 and 35 of a row, are for widths of 9 and more. A
// port of 18 bits says with its two lowest address bits which of its halves it writes. One of 36 bits takes the data
// pins of both ports, A to write and B to read, and four such bits. A read beside a write by the other port gives what
// was there before; a reset that waits for the clock keeps its port from writing. Both ports have the same clock.

// A port: which bits of a row it writes, with what, and what it shows.
module block_ram_port (
  input clock, enable, write, reset, input [13:0] address, input [35:0] pins, row, output [35:0] mask, data,
  output reg [35:0] out
);
  parameter WIDTH = 18, WRITEMODE = "NORMAL", RESETMODE = "SYNC", INVERTED = 0;
  localparam [35:0] ALL = 36'hfffffffff >> (36 - WIDTH);
  wire [5:0] ninth = 9 * address[4:3];
  wire [5:0] first =
    WIDTH == 36 ? 0 : WIDTH == 18 ? 18 * address[4] : WIDTH == 9 ? ninth :
    WIDTH == 4 ? ninth + 4 * address[2] : WIDTH == 2 ? ninth + 2 * address[2:1] : ninth + address[2:0];
  wire [35:0] chosen =
    WIDTH == 36 ? {{9{address[3]}}, {9{address[2]}}, {9{address[1]}}, {9{address[0]}}} :
    WIDTH == 18 ? {{9{address[1]}}, {9{address[0]}}} : ALL;
  assign mask = enable && write && !(reset && RESETMODE == "SYNC") ? chosen << first : 0;
  assign data = (pins & ALL) << first;
  wire [35:0] shown = WRITEMODE == "WRITETHROUGH" ? row & ~mask | data & mask : row;
  wire [35:0] next = (shown >> first) & ALL;
  wire changes = enable && !(write && WRITEMODE == "NORMAL");
  initial out = 0;
  generate
    if (RESETMODE == "SYNC" && INVERTED) begin
      always @(negedge clock) if (reset) out <= 0; else if (changes) out <= next;
    end else if (RESETMODE == "SYNC") begin
      always @(posedge clock) if (reset) out <= 0; else if (changes) out <= next;
    end else if (INVERTED) begin
      always @(negedge clock, posedge reset) if (reset) out <= 0; else if (changes) out <= next;
    end else begin
      always @(posedge clock, posedge reset) if (reset) out <= 0; else if (changes) out <= next;
    end
  endgenerate
endmodule

module DP16KD (
  input CLKA, WEA, CEA, OCEA, RSTA, CSA0, CSA1, CSA2,
  input ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14, DIA15, DIA16,
  DIA17,
  output DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14, DOA15, DOA16,
  DOA17,
  input CLKB, WEB, CEB, OCEB, RSTB, CSB0, CSB1, CSB2,
  input ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
  input DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14, DIB15, DIB16,
  DIB17,
  output DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14, DOB15, DOB16,
  DOB17
);
  parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18, REGMODE_A = "NOREG", REGMODE_B = "NOREG", RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC", CSDECODE_A = "0b000", CSDECODE_B = "0b000", GSR = "ENABLED";
  parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB", WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL";
  parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0, INITVAL_04 = 0, INITVAL_05 = 0,
    INITVAL_06 = 0, INITVAL_07 = 0, INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0, INITVAL_0C = 0,
    INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0, INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0,
    INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0, INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0,
    INITVAL_1B = 0, INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0, INITVAL_20 = 0, INITVAL_21 = 0,
    INITVAL_22 = 0, INITVAL_23 = 0, INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0, INITVAL_28 = 0,
    INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0, INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
    INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0, INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0,
    INITVAL_37 = 0, INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0, INITVAL_3C = 0, INITVAL_3D = 0,
    INITVAL_3E = 0, INITVAL_3F = 0;
  localparam [20479:0] INIT = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38, INITVAL_37,
    INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E,
    INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25,
    INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C,
    INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13,
    INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A,
    INITVAL_09, INITVAL_08, INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
    INITVAL_00
  };
  wire [13:0] address_A = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  wire [17:0] pins_A = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0};
  wire [13:0] address_B = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  wire [17:0] pins_B = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0};

  reg [35:0] rows [0:511];
  integer at;
  initial for (at = 0; at < 512; at = at + 1) rows[at] = {INIT[40 * at + 20 +: 18], INIT[40 * at +: 18]};

  wire [35:0] row_A = rows[address_A[13:5]], mask_A, data_A, out_A;
  block_ram_port #(
    .WIDTH(DATA_WIDTH_A), .WRITEMODE(WRITEMODE_A), .RESETMODE(RESETMODE), .INVERTED(CLKAMUX == "INV")
  ) port_A (
    .clock(CLKA), .enable(CEA && !CSA0 && !CSA1 && !CSA2), .write(WEA), .reset(RSTA), .address(address_A),
    .pins({DATA_WIDTH_A == 36 ? pins_B : 18'b0, pins_A}), .row(row_A), .mask(mask_A), .data(data_A),
    .out(out_A)
  );
  wire [35:0] row_B = rows[address_B[13:5]], mask_B, data_B, out_B;
  block_ram_port #(
    .WIDTH(DATA_WIDTH_B), .WRITEMODE(WRITEMODE_B), .RESETMODE(RESETMODE), .INVERTED(CLKBMUX == "INV")
  ) port_B (
    .clock(CLKB), .enable(CEB && !CSB0 && !CSB1 && !CSB2), .write(WEB), .reset(RSTB), .address(address_B),
    .pins({18'b0, pins_B}), .row(row_B), .mask(mask_B), .data(data_B),
    .out(out_B)
  );

  // What a port leaves in its row. Port B writes on top of port A when both write the same row at the same edge.
  wire together = (CLKAMUX == "INV") == (CLKBMUX == "INV") && address_A[13:5] == address_B[13:5];
  wire [35:0] after_A = row_A & ~mask_A | data_A & mask_A;
  wire [35:0] after_B = (together ? after_A : row_B) & ~mask_B | data_B & mask_B;

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2,
    DOA1, DOA0} =
    DATA_WIDTH_B == 36 ? out_B[17:0] : out_A[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2,
    DOB1, DOB0} =
    DATA_WIDTH_B == 36 ? out_B[35:18] : out_B[17:0];

  generate
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") DP16KD_with_an_output_register refused ();
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") DP16KD_with_a_chip_select refused ();
    if (CLKAMUX != "INV" && CLKBMUX != "INV") begin
      always @(posedge CLKA) begin
        if (mask_A) rows[address_A[13:5]] <= after_A;
        if (mask_B) rows[address_B[13:5]] <= after_B;
      end
    end else if (CLKAMUX == "INV" && CLKBMUX == "INV") begin
      always @(negedge CLKA) begin
        if (mask_A) rows[address_A[13:5]] <= after_A;
        if (mask_B) rows[address_B[13:5]] <= after_B;
      end
    end else if (CLKAMUX == "INV") begin
      always @(negedge CLKA) if (mask_A) rows[address_A[13:5]] <= after_A;
      always @(posedge CLKB) if (mask_B) rows[address_B[13:5]] <= after_B;
    end else begin
      always @(posedge CLKA) if (mask_A) rows[address_A[13:5]] <= after_A;
      always @(negedge CLKB) if (mask_B) rows[address_B[13:5]] <= after_B;
    end
  endgenerate
endmodule
