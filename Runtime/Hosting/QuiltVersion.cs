using System.Reflection;

namespace Quilt.Hosting;

/// <summary>Which Quilt this is.</summary>
internal static class QuiltVersion
{
    /// <summary>The version, without what a build adds to it.</summary>
    public static string Number { get; } =
        (typeof(QuiltVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];

    /// <summary>The system_fingerprint of answers.</summary>
    public static string Fingerprint { get; } = $"quilt-{Number}";
}
