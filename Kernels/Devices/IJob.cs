namespace Quilt.Kernels.Devices;

/// <summary>One operation cut into items that may run in any order on any thread. An item must not depend on another of the same job.</summary>
internal interface IJob
{
    /// <summary>Runs item <paramref name="item"/>; called once for each, from several threads.</summary>
    void Execute(int item);
}
