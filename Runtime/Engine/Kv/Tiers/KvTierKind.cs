namespace Quilt.Runtime.Kv.Tiers;

/// <summary>The tiers behind the cache, the nearest first.</summary>
internal enum KvTierKind
{
    /// <summary>The host's memory.</summary>
    Host,

    /// <summary>A file.</summary>
    Disk,

    /// <summary>Another process, mostly on another machine.</summary>
    Remote,
}
