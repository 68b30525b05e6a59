using CsCheck;
using Quilt.Formats;
using Quilt.Runtime.Kv.Tiers;

namespace Quilt.Tests.Runtime.Kv.Tiers;

/// <summary>What can become of a file of cached blocks. Whatever it is: a miss, never another image, never an error of the engine's.</summary>
public sealed class DiskTierTests
{
    private const int Slots = 6;
    private const long Budget = 8192 + (Slots * 8192);

    [Test]
    public void Any_change_of_a_byte_costs_at_most_the_image_it_is_in()
    {
        using var folder = Written();
        var whole = File.ReadAllBytes(folder.File);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Where((at, value) => whole[at] != value).Sample((at, value) =>
        {
            using var other = Copy(folder, bytes => bytes[at] = value);
            // The magic alone tells the file from somebody else's, which is left alone.
            if (at < 8)
            {
                Assert.That(() => Open(other), Throws.InstanceOf<BadInputException>());
                return;
            }
            using var tier = Open(other);
            var kept = Enumerable.Range(0, Slots).Count(name => TierImages.Has(tier, name));
            Assert.That(kept, Is.AtLeast(at < 4096 ? 0 : Slots - 1));
            for (var name = 0; name < Slots; name++) TierImages.Put(tier, name);
            Assert.That(Enumerable.Range(0, Slots).All(name => TierImages.Has(tier, name)), "it works on");
        }, iter: 500);
    }

    [Test]
    public void A_file_cut_off_anywhere_is_begun_anew()
    {
        using var folder = Written();
        Gen.Int[0, (int)Budget - 8192].Sample(length =>
        {
            using var other = Copy(folder, _ => { }, length);
            using var tier = Open(other);
            Assert.That(tier.Count, Is.Zero);
            TierImages.Put(tier, 3);
            Assert.That(TierImages.Has(tier, 3));
        }, iter: 60);
    }

    [Test]
    public void A_torn_image_is_a_miss_and_its_slot_is_used_again()
    {
        using var folder = Written();
        using (var file = File.OpenHandle(folder.File, FileMode.Open, FileAccess.Write))
            RandomAccess.Write(file, new byte[100], 8192 + (2 * 8192) + 4000);
        using var tier = Open(folder);
        Assert.That(TierImages.Has(tier, 2), Is.False);
        Assert.That(tier.Count, Is.EqualTo(Slots - 1));
        TierImages.Put(tier, 77);
        Assert.That((int[])[.. Enumerable.Range(0, 80).Where(name => TierImages.Has(tier, name))], Is.EqualTo(new[] { 0, 1, 3, 4, 5, 77 }));
    }

    [Test]
    public void Another_models_file_under_our_name_is_begun_anew()
    {
        using var folder = Written();
        using var other = new TierFolder();
        File.Copy(folder.File, DiskTier.PathIn(other.Path, TierImages.Space(2)));
        using var tier = new DiskTier(other.Path, TierImages.Space(2), Budget);
        Assert.That(tier.Count, Is.Zero);
        Assert.That(Enumerable.Range(0, Slots).Any(name => TierImages.Has(tier, name)), Is.False);
    }

    [Test]
    public void Two_models_share_a_folder_and_no_image()
    {
        using var folder = Written();
        using var tier = new DiskTier(folder.Path, TierImages.Space(2), Budget);
        Assert.That(tier.Holds(TierImages.Hash(0)), Is.False);
        using var first = Open(folder);
        Assert.That(TierImages.Has(first, 0));
    }

    [Test]
    public void A_link_is_refused_and_what_it_leads_to_is_not_touched()
    {
        using var folder = new TierFolder();
        var target = Path.Combine(folder.Path, "target");
        File.WriteAllText(target, "");
        File.CreateSymbolicLink(DiskTier.PathIn(folder.Path, TierImages.Space()), target);
        Assert.That(() => Open(folder), Throws.InstanceOf<BadInputException>().With.Message.Contains("a link to"));
        Assert.That(File.ReadAllText(target), Is.Empty);
        File.Delete(target);
        Assert.That(() => Open(folder), Throws.InstanceOf<BadInputException>().With.Message.Contains("a link to"));
        Assert.That(File.Exists(target), Is.False);
    }

    [Test]
    public void Somebody_elses_file_is_left_as_it_is()
    {
        using var folder = new TierFolder();
        var path = DiskTier.PathIn(folder.Path, TierImages.Space());
        File.WriteAllText(path, "Dear diary");
        Assert.That(() => Open(folder), Throws.InstanceOf<BadInputException>().With.Message.Contains("another file"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("Dear diary"));
    }

    [Test, System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_file_is_its_owners_alone_also_one_that_was_not()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("Windows has other permissions.");
        using var folder = Written();
        Assert.That(File.GetUnixFileMode(folder.File), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        File.SetUnixFileMode(folder.File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        using var tier = Open(folder);
        Assert.That(File.GetUnixFileMode(folder.File), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(TierImages.Has(tier, 1));
    }

    [Test]
    public void A_file_that_is_open_is_not_opened_twice()
    {
        using var folder = Written();
        using var first = Open(folder);
        Assert.That(() => Open(folder), Throws.InstanceOf<IOException>());
        Assert.That(TierImages.Has(first, 4));
    }

    [Test]
    public void A_budget_without_room_for_one_image_is_refused()
    {
        using var folder = new TierFolder();
        Assert.That(() => new DiskTier(folder.Path, TierImages.Space(), 12_000), Throws.ArgumentException.With.Message.Contains("KvDiskSize"));
        Assert.That(() => new HostTier(TierImages.Bytes, TierImages.Bytes - 1), Throws.ArgumentException.With.Message.Contains("KvHostMemory"));
        Assert.That(Directory.GetFiles(folder.Path), Is.Empty);
    }

    [Test]
    public void A_disk_that_fails_later_makes_the_tier_smaller_and_is_told_once()
    {
        using var folder = Written();
        var tier = Open(folder);
        // Its file is gone from under it, as a disk is that was taken out.
        tier.Dispose();
        Assert.That(TierImages.Has(tier, 0), Is.False);
        var told = tier.Warning;
        Assert.That(told, Does.Contain(folder.File));
        for (var name = 10; name < 30; name++) TierImages.Put(tier, name);
        Assert.That((tier.Warning, tier.Slots, tier.Count), Is.EqualTo((told, 0, 0)));
        tier.Forget();
    }

    [Test]
    public void What_was_forgotten_stays_forgotten()
    {
        using var folder = Written();
        using (var tier = Open(folder)) tier.Forget();
        using var again = Open(folder);
        Assert.That(again.Count, Is.Zero);
    }

    private static DiskTier Open(TierFolder folder) => new(folder.Path, TierImages.Space(), Budget);

    /// <summary>A folder with a file whose every slot has an image.</summary>
    private static TierFolder Written()
    {
        var folder = new TierFolder();
        using var tier = Open(folder);
        for (var name = 0; name < Slots; name++) TierImages.Put(tier, name);
        Assert.That(tier.Count, Is.EqualTo(Slots));
        return folder;
    }

    private static TierFolder Copy(TierFolder folder, Action<byte[]> change, int length = int.MaxValue)
    {
        var bytes = File.ReadAllBytes(folder.File);
        change(bytes);
        var copy = new TierFolder();
        File.WriteAllBytes(Path.Combine(copy.Path, Path.GetFileName(folder.File)), bytes[..Math.Min(length, bytes.Length)]);
        return copy;
    }
}
