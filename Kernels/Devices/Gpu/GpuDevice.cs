using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Quilt.Kernels.Devices;

/// <summary>
/// A graphics processor, or what stands in for one: an accelerator of ILGPU, its compiled kernels, and the processor beside it that feeds it.
/// </summary>
internal sealed class GpuDevice : Device
{
    private readonly Context context;
    private readonly List<Kernel> kernels = [];
    private readonly Dictionary<NativeBuffer, MemoryBuffer1D<float, Stride1D.Dense>> mirrors = [];
    private Delegate?[] launchers = new Delegate?[256];

    internal GpuDevice(Context context, Accelerator accelerator, string name, GpuTraits traits, int hostThreads)
    {
        (this.context, Accelerator, Name, Traits) = (context, accelerator, name, traits);
        Host = new CpuDevice(threads: hostThreads);
    }

    public override string Name { get; }

    /// <summary>The accelerator all work goes to.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>How kernels are launched here, and which.</summary>
    public GpuTraits Traits { get; }

    /// <summary>The processor beside it: reads files and packs weights.</summary>
    public CpuDevice Host { get; }

    /// <summary>Bytes of its memory that are free; where a device cannot tell, all it has.</summary>
    public long FreeMemory
    {
        get
        {
            if (!Traits.IsCuda) return Traits.IsEmulated ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : Accelerator.MemorySize;
            Accelerator.Bind();
            return CudaDriver.FreeMemory() ?? Accelerator.MemorySize;
        }
    }

    /// <summary>Grows whenever memory that kernels were given before has moved.</summary>
    public int Moves { get; private set; }

    /// <summary>To be called when memory that kernels were given is given back.</summary>
    public void Moved() => Moves++;

    /// <summary>The device's copy of a small host buffer of float32, made when first asked for.</summary>
    public ArrayView<float> Mirror(NativeBuffer host)
    {
        if (mirrors.TryGetValue(host, out var mirror)) return mirror.View;
        Forget();
        mirror = Accelerator.Allocate1D<float>(Math.Max(1, host.Bytes / sizeof(float)));
        if (host.Bytes >= sizeof(float)) mirror.View.BaseView.CopyFromCPU(host.Span<float>(0, checked((int)(host.Bytes / sizeof(float)))));
        mirrors.Add(host, mirror);
        Moved();
        return mirror.View;
    }

    public override void Dispose()
    {
        foreach (var mirror in mirrors.Values) mirror.Dispose();
        mirrors.Clear();
        foreach (var kernel in kernels) kernel.Dispose();
        kernels.Clear();
        // ILGPU also frees the buffer that a driver had no memory for. What it refused first is what there is to tell, not that.
        for (var tries = 0; tries < 3 && !TryDispose(); tries++)
        {
        }
        context.Dispose();
        Host.Dispose();
    }

    /// <summary>The launcher of a kernel that was loaded before.</summary>
    internal Delegate? Launcher(int kernel) => kernel < launchers.Length ? launchers[kernel] : null;

    /// <summary>Compiles and loads a kernel.</summary>
    /// <exception cref="NotSupportedException">The device lacks what the kernel needs.</exception>
    internal TLaunch Load<TLaunch>(GpuKernel kernel) where TLaunch : Delegate
    {
        if (kernel.Needs.HasFlag(KernelNeeds.TensorCores) && !Traits.TensorCores)
            throw new NotSupportedException($"{kernel.Name} needs tensor cores, which {Name} lacks.");
        if (kernel.Needs.HasFlag(KernelNeeds.Fp8) && !Traits.Fp8)
            throw new NotSupportedException($"{kernel.Name} needs tensor cores that take FP8, which {Name} lacks.");
        var compiled = Accelerator.GetBackend().Compile(kernel.EntryPoint, kernel.Specialization);
        if (compiled is PTXCompiledKernel ptx) PtxFix.Apply(ptx, ((CudaAccelerator)Accelerator).Architecture);
        var loaded = Load(kernel, compiled);
        kernels.Add(loaded);
        var launcher = loaded.CreateLauncherDelegate<TLaunch>();
        if (kernel.Id >= launchers.Length) Array.Resize(ref launchers, 2 * kernel.Id);
        launchers[kernel.Id] = launcher;
        return launcher;
    }

    private bool TryDispose()
    {
        try
        {
            Accelerator.Dispose();
            return true;
        }
        catch (CudaException)
        {
            return false;
        }
    }

    private Kernel Load(GpuKernel kernel, CompiledKernel compiled)
    {
        using var log = new DriverLog();
        try
        {
            return Accelerator.LoadKernel(compiled);
        }
        catch (CudaException refused)
        {
            throw new NotSupportedException($"{Name}: the driver does not take the kernel {kernel.Name}: {CudaDriver.Explain(refused)}. {log.Text}",
                refused);
        }
    }

    // A mirror outlives its host buffer until another is made: there are few, and none is large.
    private void Forget()
    {
        foreach (var (host, mirror) in mirrors)
        {
            if (!host.IsDisposed) continue;
            mirrors.Remove(host);
            mirror.Dispose();
        }
    }
}
