using Quilt.Formats;

namespace Quilt.Quantizer.Verifying;

/// <summary>One thing that is looked at in a checkpoint.</summary>
/// <param name="id">Its number, which stays.</param>
/// <param name="name">Its name, which stays.</param>
internal abstract class Check(int id, string name)
{
    /// <summary>Its number.</summary>
    public int Id => id;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Why it makes no sense for a checkpoint; null where it does.</summary>
    public virtual string? WhyNot(CheckSubject subject) => null;

    /// <summary>Looks.</summary>
    /// <exception cref="BadInputException">A file cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract CheckResult Run(CheckSubject subject);

    /// <summary>A result without a look.</summary>
    public CheckResult Skip(string why) => new(id, name, CheckStatus.Skipped, why);

    /// <summary>The reason where there is no official checkpoint to hold against.</summary>
    protected static string? WithoutOfficial(CheckSubject subject) =>
        subject.Official is null ? "needs the official checkpoint (--against)" : null;

    /// <summary>The reason where there is none, or no routed experts.</summary>
    protected static string? WithoutExperts(CheckSubject subject) =>
        WithoutOfficial(subject) ?? (subject.Spec.Experts is null ? $"{subject.Model.Config.ModelType} has no routed experts" : null);
}
