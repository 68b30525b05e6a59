using Quilt.Hosting;
using Quilt.Runtime.Sampling;

namespace Quilt.Tests.Hosting;

/// <summary>Options of a server that cannot be kept are told by their names when the host starts, all at once.</summary>
public sealed class QuiltServerOptionsTests
{
    private static readonly (string Name, Action<QuiltServerOptions> Spoil)[] spoilt =
    [
        ("ApiKeys", o => o.ApiKeys.Add(" ")),
        ("AllowedHosts", o => o.AllowedHosts.Add("")),
        ("AllowedOrigins", o => o.AllowedOrigins.Add("")),
        ("MaxBodyBytes", o => o.MaxBodyBytes = 0),
        ("MaxDepth", o => o.MaxDepth = 1001),
        ("BodyTime", o => o.BodyTime = TimeSpan.Zero),
        ("SendTime", o => o.SendTime = TimeSpan.FromDays(2)),
        ("LivenessTime", o => o.LivenessTime = TimeSpan.FromSeconds(-1)),
        ("MaxLogProbabilities", o => o.MaxLogProbabilities = -2),
        ("MaxStoredResponses", o => o.MaxStoredResponses = -1),
        ("MaxStoredBytes", o => o.MaxStoredBytes = -1),
        ("StoredResponseTime", o => o.StoredResponseTime = TimeSpan.Zero),
        ("StreamInterval", o => o.StreamInterval = 0),
        ("LogProbabilityKind", o => o.LogProbabilityKind = (LogProbabilityKind)9),
        ("ReasoningField", o => o.ReasoningField = (ReasoningField)9),
        ("ResponseRole", o => o.ResponseRole = ""),
    ];

    public static IEnumerable<string> Names() => spoilt.Select(one => one.Name);

    [TestCaseSource(nameof(Names))]
    public void One_that_cannot_be_kept_is_told_by_its_name(string name)
    {
        var options = new QuiltServerOptions();
        spoilt.Single(one => one.Name == name).Spoil(options);
        Assert.That(new QuiltServerOptionsChecks().Validate(null, options).Failures!.Single(), Does.StartWith($"{name}: expected "));
    }

    [Test]
    public void The_defaults_are_good_and_all_faults_are_told_at_once()
    {
        var options = new QuiltServerOptions();
        Assert.That(new QuiltServerOptionsChecks().Validate(null, options).Succeeded, Is.True);
        foreach (var (_, spoil) in spoilt) spoil(options);
        Assert.That(new QuiltServerOptionsChecks().Validate(null, options).Failures!.Count(), Is.EqualTo(spoilt.Length));
    }
}
