using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Quilt.Kernels.Devices;

/// <summary>A job whose items are timed.</summary>
/// <param name="work">A <typeparamref name="TJob"/>; stays where it is until all items are done.</param>
/// <param name="ticks">Where the items' times are added up.</param>
internal readonly unsafe struct TimedJob<TJob>(void* work, long* ticks) : IJob where TJob : struct, IJob
{
    public void Execute(int item)
    {
        var start = Stopwatch.GetTimestamp();
        Unsafe.AsRef<TJob>(work).Execute(item);
        Interlocked.Add(ref *ticks, Stopwatch.GetTimestamp() - start);
    }
}
