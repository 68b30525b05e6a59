using Quilt.Formats.Checkpoints;
using Quilt.Runtime.Models;

namespace Quilt.Quantizer.Repair;

/// <summary>What a published router is beside the official one.</summary>
internal enum RouterState
{
    /// <summary>The norm before it is the official one, and so is the router.</summary>
    Untouched,

    /// <summary>The norm was divided by s, and the router, which reads it too, is still the official one: it sees wrong inputs.</summary>
    Uncompensated,

    /// <summary>Its columns are the official ones times s.</summary>
    Compensated,

    /// <summary>It is neither.</summary>
    Unknown,
}

/// <summary>
/// The router of one smoothed layer, held against the official one. It reads the same norm as the experts: what the norm was divided by, its columns
/// must be multiplied with, or other experts are chosen.
/// </summary>
/// <param name="Router">The module.</param>
/// <param name="Ratio">What the norm before it was divided by.</param>
/// <param name="State">What it is.</param>
/// <param name="OfficialDistance">Relative L2 distance from the official router.</param>
/// <param name="CompensatedDistance">Relative L2 distance from the official router times s.</param>
internal sealed record RouterFit(ModuleShape Router, NormRatio Ratio, RouterState State, double OfficialDistance, double CompensatedDistance)
{
    /// <summary>
    /// Nearer than this is the same: a router in bfloat16 is 0.2 % away, one that a calibration multiplied by an s that was not yet rounded 0.3 %.
    /// </summary>
    private const double Same = 0.01;

    /// <summary>Looks at a router.</summary>
    /// <exception cref="Formats.BadInputException">A tensor is missing, or has another shape or impossible values.</exception>
    public static RouterFit Of(Checkpoint official, Checkpoint published, ModuleShape router, NormRatio ratio)
    {
        var (wanted, found) = (Gate(official, router), Gate(published, router));
        double norm = 0, compensatedNorm = 0, distance = 0, compensatedDistance = 0;
        for (var i = 0; i < wanted.Length; i++)
        {
            var compensated = wanted[i] * ratio.S[i % router.Columns];
            norm += (double)wanted[i] * wanted[i];
            compensatedNorm += (double)compensated * compensated;
            distance += Square(found[i] - wanted[i]);
            compensatedDistance += Square(found[i] - compensated);
        }
        var fromOfficial = Math.Sqrt(distance / Math.Max(norm, double.Epsilon));
        var fromCompensated = Math.Sqrt(compensatedDistance / Math.Max(compensatedNorm, double.Epsilon));
        var state = Math.Min(fromOfficial, fromCompensated) > Same ? RouterState.Unknown
            : ratio.IsIdentity ? RouterState.Untouched
            : fromOfficial < fromCompensated ? RouterState.Uncompensated
            : RouterState.Compensated;
        return new RouterFit(router, ratio, state, fromOfficial, fromCompensated);
    }

    /// <summary>
    /// The columns of a router times s, float32 [experts, model], one product each: of the published one, or of the official one where that has
    /// kept more bits.
    /// </summary>
    public float[] Repaired(Checkpoint official, Checkpoint published)
    {
        var gate = Gate(Bits(official) > Bits(published) ? official : published, Router);
        for (var i = 0; i < gate.Length; i++) gate[i] *= Ratio.S[i % Router.Columns];
        return gate;

        int Bits(Checkpoint checkpoint) => checkpoint.Module(Router.Name, Router.Rows, Router.Columns).Form.Bits;
    }

    private static float[] Gate(Checkpoint checkpoint, ModuleShape router) =>
        checkpoint.Module(router.Name, router.Rows, router.Columns).Dequantize();

    private static double Square(double value) => value * value;
}
