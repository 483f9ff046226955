namespace Bookinfo.Tests;

/// <summary>The demos that people know by heart: a file is edited, and the next page follows.</summary>
[Collection(WholeSample.Name)]
public class RoutingTests(SharedBookinfo shared)
{
    private const int Sample = 400;

    [Fact]
    public async Task Edited_weights_are_followed_live_and_no_page_fails()
    {
        var bookinfo = await shared.AsDeliveredAsync();

        // As delivered: 90 to v1, 10 to v2. The bounds are six standard deviations wide.
        var delivered = await bookinfo.CountAsync(Sample);
        delivered["v3"].ShouldBe(0);
        delivered["v2"].ShouldBeInRange(5, 76);

        // Somebody edits the weights in place, and the subset with them.
        var text = await bookinfo.ReadAsync();
        await bookinfo.WriteAsync(text.Replace("weight: 90", "weight: 50").Replace("weight: 10", "weight: 50").Replace("subset: v2", "subset: v3"));
        await bookinfo.UntilAsync("v3");
        var half = await bookinfo.CountAsync(Sample);
        half["v2"].ShouldBe(0);
        half["v3"].ShouldBeInRange(Sample / 2 - 60, Sample / 2 + 60);

        // The rest of the way.
        bookinfo.Activate("virtual-service-reviews-v3.yaml");
        bookinfo.Activate("virtual-service-all-v1.yaml");
        bookinfo.Activate("virtual-service-reviews-v2-v3.yaml");
        await bookinfo.UntilAsync("v2");
        (await bookinfo.CountAsync(Sample / 4))["v1"].ShouldBe(0);

        bookinfo.Activate("virtual-service-all-v1.yaml");
        await bookinfo.UntilAsync("v1");
        (await bookinfo.CountAsync(Sample / 4))["v1"].ShouldBe(Sample / 4);
        bookinfo.Loads.ShouldBeGreaterThan(2 * Sample);
    }

    [Fact]
    public async Task Pages_on_their_way_survive_every_change()
    {
        const int People = 4;
        var bookinfo = await shared.AsDeliveredAsync();

        for (var round = 0; round < 5; round++)
        {
            foreach (var (example, version) in new[]
                     {
                         ("virtual-service-reviews-v3.yaml", "v3"), ("virtual-service-all-v1.yaml", "v1"), ("virtual-service-reviews-v2-v3.yaml", "v2"),
                     })
            {
                var loading = bookinfo.UntilAllAsync(version, People);
                bookinfo.Activate(example);
                await loading;
            }
        }

        bookinfo.Loads.ShouldBeGreaterThanOrEqualTo(5 * 3 * People);
    }

    [Fact]
    public async Task Jason_sees_black_stars_once_he_has_signed_in()
    {
        var bookinfo = await shared.AsDeliveredAsync();
        bookinfo.Activate("virtual-service-reviews-v3.yaml");
        await bookinfo.UntilAsync("v3");
        bookinfo.Activate("virtual-service-reviews-test-v2.yaml");
        await bookinfo.UntilAsync("v1");

        var jason = await bookinfo.SignInAsync("jason");
        var mary = await bookinfo.SignInAsync("mary");

        (await bookinfo.CountAsync(25, jason))["v2"].ShouldBe(25);
        (await bookinfo.CountAsync(25, mary))["v1"].ShouldBe(25);
        (await bookinfo.CountAsync(25))["v1"].ShouldBe(25);

        bookinfo.Activate("virtual-service-reviews-jason-v2-v3.yaml");
        await bookinfo.UntilAsync("v3");
        (await bookinfo.CountAsync(25, jason))["v2"].ShouldBe(25);
        (await bookinfo.CountAsync(25, mary))["v3"].ShouldBe(25);
    }

    [Fact]
    public async Task A_broken_file_is_told_with_line_and_column_and_the_last_good_rules_serve_on()
    {
        var bookinfo = await shared.AsDeliveredAsync();
        bookinfo.Activate("virtual-service-reviews-v3.yaml");
        await bookinfo.UntilAsync("v3");

        var good = await bookinfo.ReadAsync();
        await bookinfo.WriteAsync(good.Replace("subset: v3", "subzet: v1"));

        var line = await bookinfo.Launcher.LineAsync("subzet");
        line.ShouldContain("virtual-service-reviews.yaml:");
        line.ShouldContain("spec.http[0].route[0].destination");
        (await bookinfo.CountAsync(25))["v3"].ShouldBe(25);

        await bookinfo.WriteAsync(good.Replace("subset: v3", "subset: v1"));
        await bookinfo.UntilAsync("v1");
    }
}
