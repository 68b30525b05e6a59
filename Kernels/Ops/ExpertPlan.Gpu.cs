using ILGPU;
using ILGPU.Runtime;
using Quilt.Kernels.Devices;

namespace Quilt.Kernels.Ops;

internal sealed partial class ExpertPlan
{
    private GpuPlan? gpuPlan;
    private bool isOnGpu;

    /// <summary>The plan where a GPU's kernels read it; sends what the host has filled in and sorted.</summary>
    internal GpuPlan On(GpuStream gpu)
    {
        if (isOnGpu) return gpuPlan!;
        var plan = RoomOn(gpu);
        plan.Send(gpu, this);
        return plan;
    }

    /// <summary>Room for this plan on a GPU, to be filled by Route there.</summary>
    internal GpuPlan RoomOn(GpuStream gpu)
    {
        if (gpuPlan?.Fits(gpu, this) != true)
        {
            gpuPlan?.Dispose();
            gpuPlan = new GpuPlan(gpu, this);
            gpu.Device.Moved();
        }
        isOnGpu = true;
        return gpuPlan;
    }

    private void KeepOnGpu(GpuStream gpu, ExpertPlan from, int first, int count)
    {
        var (other, own) = (from.On(gpu), RoomOn(gpu));
        own.Keep(gpu, other, this, first, count);
        own.Sort(gpu, this);
    }

    /// <summary>Brings a plan that was made on a GPU into the host's arrays, once all work before is done.</summary>
    public void Fetch(OpStream ops)
    {
        if (ops.Gpu is null || !isOnGpu) return;
        var found = gpuPlan!.Fetch(ops.Gpu);
        (Gates, Ids, PairToken, PairExpert, PairOf) = (found.Gates, found.Ids, found.PairToken, found.PairExpert, found.PairOf);
        Offsets = found.Lists[..(Experts + 1)];
        ActiveCount = found.Lists[Experts + 1];
        Active = found.Lists[(Experts + 2)..];
    }

    /// <summary>Frees what it holds on a GPU.</summary>
    public void Dispose() => gpuPlan?.Dispose();
}
