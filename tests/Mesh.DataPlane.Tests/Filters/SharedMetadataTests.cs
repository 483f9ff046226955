using System.Text.Json.Nodes;
using Mesh.Filters;

namespace Mesh.DataPlane.Tests.Filters;

/// <summary>Metadata that requests have in common, because a token came with each of them.</summary>
public sealed class SharedMetadataTests
{
    private readonly JsonObject _shared = new() { ["payload"] = new JsonObject { ["sub"] = "alice" } };

    [Fact]
    public void Who_changes_it_changes_it_for_one_request()
    {
        var (one, other) = (new HttpExchange(null!), new HttpExchange(null!));
        one.TryShareMetadata("jwt", _shared).ShouldBeTrue();
        other.TryShareMetadata("jwt", _shared).ShouldBeTrue();

        one.Metadata["jwt"]["payload"]!["sub"] = "mallory";

        one.ReadMetadata("jwt")!["payload"]!["sub"]!.GetValue<string>().ShouldBe("mallory");
        other.ReadMetadata("jwt")!["payload"]!["sub"]!.GetValue<string>().ShouldBe("alice");
        other.Metadata["jwt"]["payload"]!["sub"]!.GetValue<string>().ShouldBe("alice");
    }

    [Fact]
    public void It_does_not_stand_beside_what_is_there_and_ends_with_the_request()
    {
        var exchange = new HttpExchange(null!);
        exchange.Metadata["mine"] = [];
        exchange.TryShareMetadata("jwt", _shared).ShouldBeFalse();
        exchange.Reset();

        exchange.TryShareMetadata("jwt", _shared).ShouldBeTrue();
        exchange.HasMetadata.ShouldBeTrue();
        exchange.ReadMetadata("jwt").ShouldBeSameAs(_shared);
        exchange.ReadMetadata("mine").ShouldBeNull();
        exchange.Reset();

        exchange.HasMetadata.ShouldBeFalse();
        exchange.ReadMetadata("jwt").ShouldBeNull();
    }
}
