using Quilt.Kernels.Devices;
using Quilt.Kernels.Weights;
using Cpu = Quilt.Kernels.Devices.Isa;

namespace Quilt.Tests.Kernels;

/// <summary>
/// What fixtures are run on: an instruction set of the processor, a GPU, or what stands in for one. Fixtures list what this machine has; what it
/// lacks is one skipped test each (<see cref="MachineTests"/>).
/// </summary>
public sealed class Target
{
    /// <summary>The stand-in with tensor cores: warps of 32 threads, so slow that only what needs it runs on it.</summary>
    public const string Tensor = "gpu-emulated-tensor";

    // Kernels are compiled once for all fixtures; the process ends with them.
    private static readonly Dictionary<string, GpuDevice> Opened = [];

    private readonly string? device;

    private Target(Isa isa) => Isa = isa;

    private Target(string device) => this.device = device;

    /// <summary>Every target there is.</summary>
    public static Target[] Known { get; } = [new(Cpu.Reference), new(Cpu.Neon), new(Cpu.Avx2), new(Cpu.AvxVnni), new(Cpu.Avx512),
        new(GpuDevices.Emulated), new("opencl:0"), new("gpu:0")];

    /// <summary>Those that this machine has.</summary>
    public static Target[] All { get; } = [.. Known.Where(target => target.WhyNot is null)];

    /// <summary>Instruction sets that this machine executes.</summary>
    public static Cpu[] Isas { get; } = [.. All.Where(target => !target.IsGpu).Select(target => target.Isa!.Value)];

    /// <summary>GPUs, and what stands in for them.</summary>
    public static Target[] Gpus { get; } = [.. All.Where(target => target.IsGpu)];

    /// <summary>Targets whose kernels use tensor cores.</summary>
    public static Target[] TensorCores { get; } = [new(Tensor), .. All.Where(target => target.device == "gpu:0")];

    /// <summary>The instruction set; null on a GPU.</summary>
    public Isa? Isa { get; }

    /// <summary>Whether it is a GPU or stands in for one.</summary>
    public bool IsGpu => device is not null;

    /// <summary>Whether it is plain code: slow, and written to be read.</summary>
    public bool IsReference => Isa == Cpu.Reference;

    /// <summary>Why this machine cannot run it; null if it can.</summary>
    public string? WhyNot => device is null
        ? Isa!.Value.IsSupported() ? null : $"this machine does not execute {Isa}"
        : device == Tensor ? null : GpuDevices.List().First(info => info.Name == device).WhyNot;

    /// <summary>Whether products run on tensor cores where there is a kernel for them.</summary>
    public bool HasTensorCores => device == Tensor || device == "gpu:0";

    /// <summary>
    /// What a sum of products may be off by, in parts of the sum of their magnitudes. On tensor cores an input stands as two bfloat16, which leave up
    /// to 2^-18 of it behind, and where float32 rounds a sum, they cut it off (Fasi, Higham, Mikaitis, Pranesh: Numerical behavior of NVIDIA tensor
    /// cores, 2021).
    /// </summary>
    public float SumError => HasTensorCores ? 4e-6f : 1e-6f;

    /// <summary>Whether launching a kernel allocates nothing. The stand-ins are not made for speed.</summary>
    public bool LaunchesWithoutAllocating => device is null or "gpu:0";

    internal Device Open(int threads = 2)
    {
        if (device is null) return new CpuDevice(Isa, threads);
        if (Opened.TryGetValue(device, out var open)) return open;
        return Opened[device] = device == Tensor ? GpuDevices.Emulate(2, tensorCores: true) : GpuDevices.Open(device, 2);
    }

    /// <summary>A weight on this target: itself on a processor, a packed copy on a GPU.</summary>
    internal Weight Place(Weight weight) => IsGpu ? weight.MoveTo((GpuDevice)Open()) : weight;

    public override string ToString() => device ?? Isa!.Value.ToString().ToLowerInvariant();
}
