using System.Reflection;
using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.IR.Types;
using ILGPU.IR.Values;
using ILGPU.Runtime.Cuda;
using Hardware = ILGPU.Backends.RegisterAllocator<ILGPU.Backends.PTX.PTXRegisterKind>.HardwareRegister;
using Compound = ILGPU.Backends.RegisterAllocator<ILGPU.Backends.PTX.PTXRegisterKind>.CompoundRegister;
using Primitive = ILGPU.Backends.RegisterAllocator<ILGPU.Backends.PTX.PTXRegisterKind>.PrimitiveRegister;

namespace Quilt.Kernels.Devices;

internal static partial class TensorCore
{
    /// <summary>The PTX version that has mma instructions on FP8, of CUDA 12.4.</summary>
    public static CudaInstructionSet Fp8InstructionSet => CudaInstructionSet.ISA_84;

    /// <summary>
    /// Whether an architecture has them as such: sm_90 and sm_100 take the instruction, but make it of others, slower than bfloat16.
    /// </summary>
    public static bool HasFp8(CudaArchitecture architecture) => architecture.Major >= 12 || (architecture.Major == 8 && architecture.Minor == 9);

    /// <summary>Tells ILGPU how each function is written for NVIDIA.</summary>
    public static void Register(IntrinsicImplementationManager manager)
    {
        Add(nameof(Multiply), nameof(WriteMultiply), CudaArchitecture.SM_80);
        Add(nameof(MaskOr), nameof(WriteMaskOr), CudaArchitecture.SM_50);
        Add(nameof(MultiplyAdd2), nameof(WriteMultiplyAdd2), CudaArchitecture.SM_80);
        Add(nameof(Pack2), nameof(WritePack2), CudaArchitecture.SM_80);
        Add(nameof(LoadOnce), nameof(WriteLoadOnce), CudaArchitecture.SM_75);
        Add(nameof(Load), nameof(WriteLoad), CudaArchitecture.SM_75);
        Add(nameof(LowHalves), nameof(WriteLowHalves), CudaArchitecture.SM_75);
        Add(nameof(HighHalves), nameof(WriteHighHalves), CudaArchitecture.SM_75);
        Add(nameof(EvenBytes), nameof(WriteEvenBytes), CudaArchitecture.SM_75);
        Add(nameof(OddBytes), nameof(WriteOddBytes), CudaArchitecture.SM_75);
        Add(nameof(MultiplyFp8), nameof(WriteMultiplyFp8), CudaArchitecture.SM_89);
        Add(nameof(Exp2), nameof(WriteExp2), CudaArchitecture.SM_75);
        Add(nameof(CopyAsync), nameof(WriteCopyAsync), CudaArchitecture.SM_80);
        Add(nameof(Commit), nameof(WriteCommit), CudaArchitecture.SM_80);
        Add(nameof(WaitAllButOne), nameof(WriteWaitAllButOne), CudaArchitecture.SM_80);
        Add(nameof(Wait), nameof(WriteWait), CudaArchitecture.SM_80);

        void Add(string function, string writer, CudaArchitecture from) => manager.RegisterMethod(
            Method(function), new PTXIntrinsic(Method(writer), IntrinsicImplementationMode.GenerateCode, from));
    }

    private static MethodInfo Method(string name) => typeof(TensorCore).GetMethod(name)!;

    public static void WriteMultiply(PTXBackend backend, PTXCodeGenerator code, Value value) =>
        WriteMultiply(code, value, "m16n8k16.row.col.f32.bf16.bf16.f32");

    private static void WriteMultiply(PTXCodeGenerator code, Value value, string shape)
    {
        var sums = code.LoadAs<Compound>(value[0]);
        var c = Enumerable.Range(0, 4).Select(i => Name(code.EnsureHardwareRegister((Primitive)sums.Children[i]))).ToArray();
        var ab = Enumerable.Range(1, 6).Select(i => Operand(code, value[i])).ToArray();
        var d = Results(code, value);
        Line(code, $"mma.sync.aligned.{shape} {{{d}}}, {{{string.Join(", ", ab[..4])}}}, {{{string.Join(", ", ab[4..])}}}, " +
            $"{{{string.Join(", ", c)}}};");
    }

    public static void WriteMaskOr(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var (x, mask, bits) = (Operand(code, value[0]), Operand(code, value[1]), Operand(code, value[2]));
        Line(code, $"lop3.b32 {Name(code.AllocateHardware(value))}, {x}, {mask}, {bits}, 0xEA;");
    }

    public static void WriteMultiplyAdd2(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var (a, b, c) = (Operand(code, value[0]), Operand(code, value[1]), Operand(code, value[2]));
        Line(code, $"fma.rn.bf16x2 {Name(code.AllocateHardware(value))}, {a}, {b}, {c};");
    }

    public static void WritePack2(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var (low, high) = (Operand(code, value[0]), Operand(code, value[1]));
        Line(code, $"cvt.rn.bf16x2.f32 {Name(code.AllocateHardware(value))}, {high}, {low};");
    }

    public static void WriteLoadOnce(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var from = Address(code, value[0], MemoryAddressSpace.Global);
        Line(code, $"ld.global.nc.L1::no_allocate.v4.b32 {{{Results(code, value)}}}, [{from}];");
    }

    public static void WriteLoad(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var from = Address(code, value[0], MemoryAddressSpace.Global);
        if (value[1].Resolve() is not PrimitiveValue offset) throw new NotSupportedException("Expected a constant as the offset of a load.");
        Line(code, $"ld.global.nc.v4.b32 {{{Results(code, value)}}}, [{from}+{16 * offset.Int32Value}];");
    }

    public static void WriteLowHalves(PTXBackend backend, PTXCodeGenerator code, Value value) => WriteBytes(code, value, "0x5410");

    public static void WriteHighHalves(PTXBackend backend, PTXCodeGenerator code, Value value) => WriteBytes(code, value, "0x7632");

    public static void WriteEvenBytes(PTXBackend backend, PTXCodeGenerator code, Value value) => WriteBytes(code, value, "0x6420");

    public static void WriteOddBytes(PTXBackend backend, PTXCodeGenerator code, Value value) => WriteBytes(code, value, "0x7531");

    public static void WriteMultiplyFp8(PTXBackend backend, PTXCodeGenerator code, Value value) =>
        WriteMultiply(code, value, "m16n8k32.row.col.f32.e4m3.e4m3.f32");

    public static void WriteExp2(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var x = Operand(code, value[0]);
        Line(code, $"ex2.approx.ftz.f32 {Name(code.AllocateHardware(value))}, {x};");
    }

    public static void WriteCopyAsync(PTXBackend backend, PTXCodeGenerator code, Value value)
    {
        var (to, from) = (Address(code, value[0], MemoryAddressSpace.Shared), Address(code, value[1], MemoryAddressSpace.Global));
        Line(code, $"cp.async.cg.shared.global [{to}], [{from}], 16;");
    }

    public static void WriteCommit(PTXBackend backend, PTXCodeGenerator code, Value value) => Line(code, "cp.async.commit_group;");

    public static void WriteWaitAllButOne(PTXBackend backend, PTXCodeGenerator code, Value value) => Line(code, "cp.async.wait_group 1;");

    public static void WriteWait(PTXBackend backend, PTXCodeGenerator code, Value value) => Line(code, "cp.async.wait_group 0;");

    private static void WriteBytes(PTXCodeGenerator code, Value value, string bytes)
    {
        var (low, high) = (Operand(code, value[0]), Operand(code, value[1]));
        Line(code, $"prmt.b32 {Name(code.AllocateHardware(value))}, {low}, {high}, {bytes};");
    }

    // ILGPU gives a pointer in the space it has proved; without proof a generic address would be read as one of the space wanted.
    private static string Address(PTXCodeGenerator code, Value pointer, MemoryAddressSpace space)
    {
        var found = ((AddressSpaceType)pointer.Type).AddressSpace;
        if (found != space) throw new NotSupportedException($"Expected a pointer into {space} memory, found one into {found}.");
        return Name(code.LoadHardware(pointer));
    }

    private static string Results(PTXCodeGenerator code, Value value) =>
        string.Join(", ", ((Compound)code.Allocate(value)).SliceAs<Hardware>(0, 4).Select(Name));

    // Constants have no register of their own until one is asked for.
    private static string Operand(PTXCodeGenerator code, Value value) => Name(code.EnsureHardwareRegister(code.LoadPrimitive(value)));

    private static string Name(Hardware register) => $"%{PTXRegisterAllocator.GetStringRepresentation(register)}";

    private static void Line(PTXCodeGenerator code, string text)
    {
        code.Builder.Append('\t');
        code.Builder.AppendLine(text);
    }
}
