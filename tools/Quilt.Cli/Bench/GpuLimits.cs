using Quilt.Kernels.Devices;
using Quilt.Kernels.Limits;

namespace Quilt.Cli.Bench;

/// <summary>A GPU: copying its own memory, and tensor cores on registers.</summary>
internal sealed class GpuLimits : MachineLimits
{
    private readonly GpuDevice device;
    private readonly GpuCopySpeed copy;
    private readonly GpuMatrixSpeed matrix;

    public GpuLimits(GpuDevice device)
    {
        this.device = device;
        // Stand-ins run on the processor, where a gigabyte takes minutes.
        copy = new GpuCopySpeed(device, device.Traits.IsCuda ? GpuCopySpeed.DefaultBytes : 1 << 20);
        matrix = new GpuMatrixSpeed(device);
        Memory = new Limit("copy", LimitUnit.Gigabytes, "its memory copied, bytes read and written", () => Once(copy.Measure()));
        Products = new Limit("matrix", LimitUnit.Operations, "bfloat16 on tensor cores", () => Once(matrix.Measure()));
        All = [Memory, Products];
    }

    public override Limit Memory { get; }

    public override Limit Products { get; }

    public override IReadOnlyList<Limit> All { get; }

    public override string Description => $"{device.Name}, {device.Accelerator.Name}";

    public override void Dispose()
    {
        copy.Dispose();
        matrix.Dispose();
    }

    // Nobody else is on the device: one pass is as good as several.
    private static Speed Once(double rate) => new(rate, rate);
}
