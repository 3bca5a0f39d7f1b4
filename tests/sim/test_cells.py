"""The models of cells: circuits are the same before and after synthesis, with every kind of cell that it makes."""

import re

import pytest

from boards.ecp5 import ECP5
from boards.ice40 import ICE40
from tests.sim.lockstep import differences

LOGIC = """
module logic_top (input clk, rst, input [11:0] a, b, c, input [3:0] s, output reg [12:0] sum, output reg [11:0] mix,
                  output below, output [11:0] table_, output reg [12:0] difference);
  initial mix = 12'hace;
  always @(posedge clk) begin
    sum <= a + b;
    difference <= a - c;
    mix <= s == 0 ? a & b : s < 5 ? a ^ ~c : s == 9 ? b >> s[1:0] : a - b;
    if (rst) mix <= 12'hace;
  end
  assign below = a < c;
  assign table_ = {a[7:0], a[11:8]} ^ {12{^s}};
endmodule
"""

REGISTERS = "module registers (input clk, e, rst, arst, input [19:0] d, output reg [19:0] q);\n" + "\n".join(
    f"initial q[{at}] = {start}; always @({edge} clk{wait}) {text}".replace("#", str(at))
    for at, (start, edge, wait, text) in enumerate(
        ("SET" if "<= 1" in text else "0", edge, ", posedge arst" if "arst" in text else "", text)
        for edge in ("posedge", "negedge")
        for text in (
            "q[#] <= d[#];",
            "if (e) q[#] <= d[#];",
            "if (rst) q[#] <= 0; else q[#] <= d[#];",
            "if (rst) q[#] <= 1; else q[#] <= d[#];",
            "if (e) begin if (rst) q[#] <= 0; else q[#] <= d[#]; end",
            "if (e) begin if (rst) q[#] <= 1; else q[#] <= d[#]; end",
            "if (arst) q[#] <= 0; else q[#] <= d[#];",
            "if (arst) q[#] <= 1; else q[#] <= d[#];",
            "if (arst) q[#] <= 0; else if (e) q[#] <= d[#];",
            "if (arst) q[#] <= 1; else if (e) q[#] <= d[#];",
        )
    )
) + "\nendmodule\n"  # fmt: skip

MEMORIES = """
// One port writes parts of a word, another reads words of R bits out of those of W bits.
module two_ports #(parameter A = 8, W = 16, R = 16, PART = 1, READ_EDGE = 1, WRITE_EDGE = 1, STYLE = "block") (
  input clk, re, rst, input [15:0] ra, wa, input [35:0] we, wd, output reg [35:0] rd
);
  localparam S = W > R ? R : W;
  (* ram_style = STYLE, no_rw_check *) reg [S-1:0] m [0:(W / S << A) - 1];
  integer i, j;
  initial begin
    rd = 0;
    for (i = 0; i < W / S << A; i = i + 1) m[i] = i * 40503 ^ i >> 3;
  end
  generate
    if (READ_EDGE == 1) begin
      always @(posedge clk) if (re) rd <= m[ra[15:16 - A - $clog2(W / S)]];
    end else begin
      always @(negedge clk) if (re) rd <= m[ra[15:16 - A - $clog2(W / S)]];
    end
    if (WRITE_EDGE == 1) begin
      always @(posedge clk)
        for (i = 0; i < W / S; i = i + 1) for (j = 0; j < S; j = j + PART)
          if (we[(i * S + j) / PART]) m[{wa[A-1:0], {$clog2(W / S){1'b0}}} | i][j +: PART] <= wd[i * S + j +: PART];
    end else begin
      always @(negedge clk)
        for (i = 0; i < W / S; i = i + 1) for (j = 0; j < S; j = j + PART)
          if (we[(i * S + j) / PART]) m[{wa[A-1:0], {$clog2(W / S){1'b0}}} | i][j +: PART] <= wd[i * S + j +: PART];
    end
  endgenerate
endmodule

// A port that reads and writes; READ says what a write shows: 0 nothing new, 1 what it wrote, 2 what was there. With
// TWO there is a second one like it.
module shared #(parameter A = 10, W = 18, PART = 9, READ = 0, RESET = "NONE", TWO = 0) (
  input clk, rst, input [1:0] e, input [15:0] a0, a1, input [1:0] we0, we1, input [17:0] d0, d1,
  output reg [17:0] q0, q1
);
  localparam LANES = W / PART;
  (* ram_style = "block" *) reg [W-1:0] m [0:(1 << A) - 1];
  integer i;
  initial begin
    q0 = 0;
    q1 = 0;
    for (i = 0; i < 1 << A; i = i + 1) m[i] = i * 40503 ^ i >> 3;
  end
  wire [W-1:0] old = m[a0[A-1:0]];
  reg [W-1:0] shown;
  always @* for (i = 0; i < LANES; i = i + 1)
    shown[PART * i +: PART] = we0[i] && READ == 1 ? d0[PART * i +: PART] : old[PART * i +: PART];
  wire reads = e[0] && (READ || !we0[LANES-1:0]);
  always @(posedge clk) if (e[0])
    for (i = 0; i < LANES; i = i + 1) if (we0[i]) m[a0[A-1:0]][PART * i +: PART] <= d0[PART * i +: PART];
  generate
    if (RESET == "ASYNC") begin
      always @(posedge clk, posedge rst) if (rst) q0 <= 0; else if (reads) q0 <= shown;
    end else begin
      always @(posedge clk) if (rst && RESET == "SYNC") q0 <= 0; else if (reads) q0 <= shown;
    end
    if (TWO) begin
      always @(posedge clk) if (e[1])
        for (i = 0; i < LANES; i = i + 1) if (we1[i]) m[a1[A-1:0]][PART * i +: PART] <= d1[PART * i +: PART];
      always @(posedge clk) if (e[1] && !we1[LANES-1:0]) q1 <= m[a1[A-1:0]];
    end
  endgenerate
endmodule
"""

TWO_PORTS = "input clk, re, rst, input [15:0] ra, wa, input [35:0] we, wd"
SHARED = "input clk, rst, input [1:0] e, input [15:0] a0, a1, input [1:0] we0, we1, input [17:0] d0, d1"


def two_ports(*variants: str) -> str:
    """A module of memories with a write and a read port."""
    outputs = "".join(f", output [35:0] rd{at}" for at in range(len(variants)))
    inside = "\n".join(f"  two_ports #({text}) m{at} (.*, .rd(rd{at}));" for at, text in enumerate(variants))
    return f"{MEMORIES}\nmodule memories ({TWO_PORTS}{outputs});\n{inside}\nendmodule\n"


def shared(*variants: str) -> str:
    """A module of memories with two ports that read and write."""
    outputs = "".join(f", output [17:0] q{at}_0, q{at}_1" for at in range(len(variants)))
    inside = "\n".join(
        f"  shared #({text}) m{at} (.*, .q0(q{at}_0), .q1(q{at}_1));" for at, text in enumerate(variants)
    )
    return f"{MEMORIES}\nmodule memories ({SHARED}{outputs});\n{inside}\nendmodule\n"


def parameters(netlist, name: str) -> set[str]:
    """The values of a parameter of cells in a netlist."""
    return {value.strip('"') for value in re.findall(rf"parameter (?:signed )?\\{name} (\S+)", netlist.rtlil)}


@pytest.mark.parametrize(
    ("family", "expected"),
    [(ICE40, {"SB_LUT4", "SB_CARRY", "SB_DFFSR"}), (ECP5, {"LUT4", "PFUMX", "L6MUX21", "CCU2C", "TRELLIS_FF"})],
    ids=["iCE40", "ECP5"],
)
def test_logic(tmp_path, family, expected):
    netlist, differ = differences(LOGIC, "logic_top", family, tmp_path)
    assert differ == set()
    assert expected <= set(netlist.cells)


def test_every_register_of_the_ice40(tmp_path):
    netlist, differ = differences(REGISTERS.replace("SET", "0"), "registers", ICE40, tmp_path)
    assert differ == set()
    kinds = ("", "E", "SR", "SS", "ESR", "ESS", "R", "S", "ER", "ES")
    assert {f"SB_DFF{edge}{kind}" for edge in ("", "N") for kind in kinds} <= set(netlist.cells)


def test_every_register_of_the_ecp5(tmp_path):
    netlist, differ = differences(REGISTERS.replace("SET", "1"), "registers", ECP5, tmp_path)
    assert differ == set()
    assert netlist.cells["TRELLIS_FF"] == 20
    assert parameters(netlist, "SRMODE") >= {"ASYNC", "LSR_OVER_CE"}
    assert parameters(netlist, "CLKMUX") == {"CLK", "INV"}
    assert parameters(netlist, "REGSET") == {"RESET", "SET"}


def test_block_ram_of_the_ice40(tmp_path):
    verilog = two_ports(
        "",
        ".A(9), .W(8), .R(8), .PART(8)",
        ".A(10), .W(4), .R(4), .PART(4)",
        ".A(11), .W(2), .R(2), .PART(2)",
        ".A(8), .W(16), .R(2), .PART(2)",
        ".READ_EDGE(0)",
        ".WRITE_EDGE(0)",
        ".READ_EDGE(0), .WRITE_EDGE(0)",
    )
    netlist, differ = differences(verilog, "memories", ICE40, tmp_path, few=("ra", "wa"))
    assert differ == set()
    assert {"SB_RAM40_4K", "SB_RAM40_4KNR", "SB_RAM40_4KNW", "SB_RAM40_4KNRNW"} <= set(netlist.cells)
    for mode in ("READ_MODE", "WRITE_MODE"):
        assert {int(value.split("'")[-1], 2) for value in parameters(netlist, mode)} == {0, 1, 2, 3}


def test_block_ram_of_the_ecp5_with_a_port_to_read_and_one_to_write(tmp_path):
    verilog = two_ports(
        ".A(9), .W(36), .R(36), .PART(9)",
        ".A(9), .W(36), .R(9), .PART(9)",
        ".A(10), .W(18), .R(18), .PART(9)",
        ".A(11), .W(9), .R(9), .PART(9)",
        ".A(12), .W(4), .R(4), .PART(4)",
        ".A(13), .W(2), .R(2), .PART(2)",
        ".A(14), .W(1), .R(1), .PART(1)",
        ".A(9), .W(36), .R(36), .PART(9), .READ_EDGE(0)",
        ".A(9), .W(36), .R(36), .PART(9), .WRITE_EDGE(0)",
        '.A(4), .W(4), .R(4), .PART(4), .STYLE("distributed")',
        '.A(4), .W(4), .R(4), .PART(4), .STYLE("distributed"), .WRITE_EDGE(0)',
    )
    netlist, differ = differences(verilog, "memories", ECP5, tmp_path, few=("ra", "wa"))
    assert differ == set()
    assert {"DP16KD", "TRELLIS_DPR16X4"} <= set(netlist.cells)
    assert parameters(netlist, "DATA_WIDTH_B") == {"1", "2", "4", "9", "18", "36"}
    assert parameters(netlist, "CLKAMUX") == {"CLKA", "INV"}
    assert parameters(netlist, "CLKBMUX") == {"CLKB", "INV"}
    assert parameters(netlist, "WCKMUX") == {"WCK", "INV"}


def test_block_ram_of_the_ecp5_with_ports_that_read_and_write(tmp_path):
    verilog = shared(
        ".READ(1)",
        ".READ(2)",
        ".A(11), .W(9), .TWO(1)",
        ".A(12), .W(4), .PART(4), .TWO(1)",
        ".TWO(1)",
        '.RESET("SYNC")',
        '.RESET("ASYNC")',
    ).replace('ram_style = "block" ', 'ram_style = "block", no_rw_check = TWO')
    netlist, differ = differences(verilog, "memories", ECP5, tmp_path, few=("a0", "a1"))
    assert differ == set()
    assert parameters(netlist, "WRITEMODE_A") == {"NORMAL", "WRITETHROUGH", "READBEFOREWRITE"}
    assert parameters(netlist, "RESETMODE") == {"SYNC", "ASYNC"}
    assert parameters(netlist, "DATA_WIDTH_B") == {"4", "9", "18"}
