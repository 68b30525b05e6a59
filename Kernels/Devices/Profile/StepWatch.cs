namespace Quilt.Kernels.Devices;

/// <summary>The time from its making to its end belongs to a part of the step; with nobody watching it is two comparisons with null.</summary>
internal readonly ref struct StepWatch
{
    private readonly StepProfile? profile;

    /// <summary>Begins.</summary>
    /// <param name="profile">Who watches; null: nobody.</param>
    /// <param name="part">Of what.</param>
    public StepWatch(StepProfile? profile, StepPart part)
    {
        this.profile = profile;
        profile?.Enter(part);
    }

    /// <summary>Ends; what was under way around it goes on.</summary>
    public void Dispose() => profile?.Leave();
}
