using System.Net;
using System.Text.RegularExpressions;

namespace Bookinfo.Tests;

/// <summary>The first thing that people do with the sample: start it and ask for the page. Here without an ingress gateway.</summary>
[Collection(WholeSample.Name)]
public class BookinfoLabs(SharedBookinfo shared)
{
    [Fact]
    [Trait("Lab", "L004-14")]
    [Trait("Lab", "L004-23")]
    public async Task Six_services_make_the_page_with_its_title()
    {
        var bookinfo = await shared.AsDeliveredAsync();

        // Six pods in the lab; the seventh process is the control plane.
        bookinfo.ServiceIds().Distinct().Count().ShouldBe(7, string.Join('\n', bookinfo.Launcher.Lines));
        using var client = new HttpClient { Timeout = Guard.Hang };
        using var response = await client.GetAsync(new Uri(bookinfo.Page, "/productpage"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        Regex.Match(await response.Content.ReadAsStringAsync(), "<title>.*</title>").Value.ShouldBe("<title>Simple Bookstore App</title>");

        // With no rule for reviews all of its versions are seen, each with what it gets from ratings.
        File.Delete(Path.Combine(bookinfo.MeshFolder, "virtual-service-reviews.yaml"));
        foreach (var version in new[] { "v1", "v2", "v3" })
        {
            await bookinfo.UntilAsync(version);
        }
    }
}
