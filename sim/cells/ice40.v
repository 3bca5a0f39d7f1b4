// Cells of the iCE40 as CXXRTL can simulate them, with what synth_ice40 makes of them: registers start at 0, inputs
// that nothing drives are 0. Sources: Lattice, iCE40 LP/HX Family Data Sheet and Memory Usage Guide for iCE40 Devices;
// Yosys, techlibs/ice40.

// A bit at a time: constants then leave little of it, which a C++ compiler is thankful for.
module SB_LUT4 (input I0, I1, I2, I3, output O);
  parameter [15:0] LUT_INIT = 0;
  wire [7:0] eight;
  wire [3:0] four;
  wire [1:0] two;
  genvar at;
  generate
    for (at = 0; at < 8; at = at + 1) assign eight[at] = I0 ? LUT_INIT[2 * at + 1] : LUT_INIT[2 * at];
    for (at = 0; at < 4; at = at + 1) assign four[at] = I1 ? eight[2 * at + 1] : eight[2 * at];
    for (at = 0; at < 2; at = at + 1) assign two[at] = I2 ? four[2 * at + 1] : four[2 * at];
  endgenerate
  assign O = I3 ? two[1] : two[0];
endmodule

module SB_CARRY (input I0, I1, CI, output CO);
  assign CO = I0 & I1 | (I0 | I1) & CI;
endmodule

// SB_DFF, then N for the falling edge, E for an enable, and SR, R, SS, S for a reset or set that waits for the clock
// or does not. A reset or set that waits also waits for the enable.

`define START output reg Q); initial Q = 0;

`define REGISTERS(NAME, EDGE) \
module NAME (input C, D, `START always @(EDGE C) Q <= D; endmodule \
module NAME``E (input C, E, D, `START always @(EDGE C) if (E) Q <= D; endmodule \
module NAME``SR (input C, R, D, `START always @(EDGE C) Q <= D & !R; endmodule \
module NAME``SS (input C, S, D, `START always @(EDGE C) Q <= D | S; endmodule \
module NAME``ESR (input C, E, R, D, `START always @(EDGE C) if (E) Q <= D & !R; endmodule \
module NAME``ESS (input C, E, S, D, `START always @(EDGE C) if (E) Q <= D | S; endmodule \
module NAME``R (input C, R, D, `START always @(EDGE C, posedge R) if (R) Q <= 0; else Q <= D; endmodule \
module NAME``S (input C, S, D, `START always @(EDGE C, posedge S) if (S) Q <= 1; else Q <= D; endmodule \
module NAME``ER (input C, E, R, D, `START always @(EDGE C, posedge R) if (R) Q <= 0; else if (E) Q <= D; endmodule \
module NAME``ES (input C, E, S, D, `START always @(EDGE C, posedge S) if (S) Q <= 1; else if (E) Q <= D; endmodule

`REGISTERS(SB_DFF, posedge)
`REGISTERS(SB_DFFN, negedge)

// Block RAM of 256 rows of 16 bits. In mode 0 a port takes a row, and MASK says which bits are not written. In modes 1,
// 2 and 3 it takes 8, 4 or 2 bits: every second, fourth or eighth one of the row, beginning where address bits 8 and
// up say. They are on pins 2k, 4k + 1 and 8k + 3. A read beside a write to the same row gives what was there before.

`define BLOCK_RAM(NAME, READ_CLOCK, READ_EDGE, WRITE_CLOCK, WRITE_EDGE) \
module NAME ( \
  input READ_CLOCK, RCLKE, RE, WRITE_CLOCK, WCLKE, WE, input [10:0] RADDR, WADDR, input [15:0] MASK, WDATA, \
  output reg [15:0] RDATA \
); \
  parameter READ_MODE = 0, WRITE_MODE = 0; \
  parameter [255:0] INIT_0 = 0, INIT_1 = 0, INIT_2 = 0, INIT_3 = 0, INIT_4 = 0, INIT_5 = 0, INIT_6 = 0, INIT_7 = 0; \
  parameter [255:0] INIT_8 = 0, INIT_9 = 0, INIT_A = 0, INIT_B = 0, INIT_C = 0, INIT_D = 0, INIT_E = 0, INIT_F = 0; \
  localparam [4095:0] INIT = { \
    INIT_F, INIT_E, INIT_D, INIT_C, INIT_B, INIT_A, INIT_9, INIT_8, \
    INIT_7, INIT_6, INIT_5, INIT_4, INIT_3, INIT_2, INIT_1, INIT_0 \
  }; \
  reg [15:0] rows [0:255]; \
  integer at; \
  initial begin \
    RDATA = 0; \
    for (at = 0; at < 256; at = at + 1) rows[at] = INIT[16 * at +: 16]; \
  end \
  wire [15:0] read = rows[RADDR[7:0]]; \
  wire [15:0] read_shifted = \
    READ_MODE == 1 ? (read >> RADDR[8]) & 16'h5555 : \
    READ_MODE == 2 ? (read >> RADDR[9:8] & 16'h1111) << 1 : \
    READ_MODE == 3 ? (read >> RADDR[10:8] & 16'h0101) << 3 : read; \
  wire [15:0] written = \
    WRITE_MODE == 1 ? (WDATA & 16'h5555) << WADDR[8] : \
    WRITE_MODE == 2 ? (WDATA >> 1 & 16'h1111) << WADDR[9:8] : \
    WRITE_MODE == 3 ? (WDATA >> 3 & 16'h0101) << WADDR[10:8] : WDATA; \
  wire [15:0] mask = \
    WRITE_MODE == 1 ? 16'h5555 << WADDR[8] : \
    WRITE_MODE == 2 ? 16'h1111 << WADDR[9:8] : \
    WRITE_MODE == 3 ? 16'h0101 << WADDR[10:8] : ~MASK; \
  wire [15:0] old = rows[WADDR[7:0]]; \
  always @(READ_EDGE READ_CLOCK) if (RCLKE && RE) RDATA <= read_shifted; \
  always @(WRITE_EDGE WRITE_CLOCK) if (WCLKE && WE) rows[WADDR[7:0]] <= old & ~mask | written & mask; \
endmodule

`BLOCK_RAM(SB_RAM40_4K, RCLK, posedge, WCLK, posedge)
`BLOCK_RAM(SB_RAM40_4KNR, RCLKN, negedge, WCLK, posedge)
`BLOCK_RAM(SB_RAM40_4KNW, RCLK, posedge, WCLKN, negedge)
`BLOCK_RAM(SB_RAM40_4KNRNW, RCLKN, negedge, WCLKN, negedge)
