using Microsoft.Extensions.Options;

namespace Quilt.Hosting;

/// <summary>Checks how a host answers over HTTP, when it starts.</summary>
internal sealed class QuiltServerOptionsChecks : IValidateOptions<QuiltServerOptions>
{
    private const int MostDepth = 1000;
    private const long MostBodyBytes = 512 << 20;
    private static readonly TimeSpan MostTime = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, QuiltServerOptions options)
    {
        var faults = new List<string>();
        // The keys themselves are nobody's to read.
        if (options.ApiKeys.Any(string.IsNullOrWhiteSpace)) faults.Add("ApiKeys: expected keys, found an empty one.");
        if (options.AllowedHosts.Any(string.IsNullOrWhiteSpace)) faults.Add("AllowedHosts: expected names, found an empty one.");
        if (options.AllowedOrigins.Any(string.IsNullOrWhiteSpace)) faults.Add("AllowedOrigins: expected origins, found an empty one.");
        if (options.MaxBodyBytes is < 1 or > MostBodyBytes) faults.Add($"MaxBodyBytes: expected 1 to {MostBodyBytes}, found {options.MaxBodyBytes}.");
        if (options.MaxDepth is < 1 or > MostDepth) faults.Add($"MaxDepth: expected 1 to {MostDepth}, found {options.MaxDepth}.");
        foreach (var (option, time) in (ReadOnlySpan<(string, TimeSpan)>)
            [("BodyTime", options.BodyTime), ("SendTime", options.SendTime), ("LivenessTime", options.LivenessTime)])
        {
            if (time <= TimeSpan.Zero || time > MostTime) faults.Add($"{option}: expected more than zero and at most {MostTime}, found {time}.");
        }
        if (options.MaxLogProbabilities < -1) faults.Add($"MaxLogProbabilities: expected −1 or more, found {options.MaxLogProbabilities}.");
        if (options.MaxStoredResponses < 0) faults.Add($"MaxStoredResponses: expected at least 0, found {options.MaxStoredResponses}.");
        if (options.MaxStoredBytes < 0) faults.Add($"MaxStoredBytes: expected at least 0, found {options.MaxStoredBytes}.");
        if (options.StoredResponseTime <= TimeSpan.Zero)
            faults.Add($"StoredResponseTime: expected more than zero, found {options.StoredResponseTime}.");
        if (options.StreamInterval < 1) faults.Add($"StreamInterval: expected at least 1, found {options.StreamInterval}.");
        if (!Enum.IsDefined(options.LogProbabilityKind))
            faults.Add($"LogProbabilityKind: expected one of its names, found {options.LogProbabilityKind}.");
        if (!Enum.IsDefined(options.ReasoningField)) faults.Add($"ReasoningField: expected one of its names, found {options.ReasoningField}.");
        if (string.IsNullOrWhiteSpace(options.ResponseRole)) faults.Add("ResponseRole: expected a role, found an empty text.");
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
