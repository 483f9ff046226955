using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Security;

namespace Mesh.ControlPlane.Tests.Security;

/// <summary>Who changed what: documents by their names and places.</summary>
public sealed class ConfigAuditTests
{
    private readonly RecordedLogs _logs = new();

    private string[] Tell(ConfigSnapshot? before, params ConfigResource[] now)
    {
        _logs.Entries.Clear();
        ConfigAudit.Tell(before, new ConfigSnapshot(2, now), new AuditLog(_logs, TimeProvider.System));
        return [.. _logs.Of(AuditLog.Category)];
    }

    [Fact]
    public void Each_document_that_is_added_changed_or_removed_is_written_down_with_its_place()
    {
        var reviews = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");
        var changed = TestDocuments.Service("reviews", """{"name":"http","port":9081}""", "\"app\":\"reviews\"");
        var same = TestDocuments.Service("reviews", """{"name":"http","port":9080}""", "\"app\":\"reviews\"");
        var ratings = TestDocuments.Service("ratings", """{"name":"http","port":9080}""", "\"app\":\"ratings\"");
        var before = new ConfigSnapshot(1, [reviews]);

        Tell(before, reviews).ShouldBeEmpty();
        Tell(before, same).ShouldBeEmpty();
        Tell(before, changed).ShouldHaveSingleItem().ShouldContain($"configuration changed: Service default/reviews by {changed.Source}");
        Tell(before, reviews, ratings).ShouldHaveSingleItem().ShouldContain("configuration added: Service default/ratings");
        Tell(before).ShouldHaveSingleItem().ShouldContain("configuration removed: Service default/reviews");
        Tell(null, reviews, ratings).ShouldHaveSingleItem().ShouldContain("2 documents");
    }

    [Fact]
    public void A_change_of_everything_is_bounded()
    {
        var many = Enumerable.Range(0, 500).Select(i => TestDocuments.Service($"s{i}", """{"name":"http","port":80}""", "\"app\":\"x\"")).ToArray();

        var told = Tell(ConfigSnapshot.Empty, many);

        told.Length.ShouldBe(101);
        told[^1].ShouldContain("400 further documents");
    }
}
