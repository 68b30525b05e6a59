namespace Quilt.Kernels.Devices;

/// <summary>What one part of a step took, all steps together. Times are ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
internal struct PartTotals
{
    /// <summary>How often it was begun.</summary>
    public long Calls;

    /// <summary>Time, without the parts within it.</summary>
    public long Ticks;

    /// <summary>Jobs handed to the pool: at the end of each all threads wait for the last.</summary>
    public long Jobs;

    /// <summary>Time in which such a job ran.</summary>
    public long JobTicks;

    /// <summary>Time that threads spent on items of such jobs, added up over threads.</summary>
    public long ItemTicks;

    /// <summary>Bytes of weights and cache that it must read at least; 0 where nobody counts.</summary>
    public double Bytes;

    /// <summary>Operations of its products (a multiplication and an addition are two); 0 where nobody counts.</summary>
    public double Operations;
}
