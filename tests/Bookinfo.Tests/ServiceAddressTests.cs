using Bookinfo.Hosting;
using Microsoft.Extensions.Configuration;

namespace Bookinfo.Tests;

public class ServiceAddressTests
{
    [Theory]
    [InlineData(null, null, null, "http://reviews:9080/")]
    [InlineData("other", null, "8080", "http://other:8080/")]
    [InlineData(null, "bookinfo.svc.cluster.local", null, "http://reviews.bookinfo.svc.cluster.local:9080/")]
    [InlineData("other", "east", "1234", "http://other.east:1234/")]
    public void Comes_from_host_name_domain_and_port(string? host, string? domain, string? port, string expected)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["REVIEWS_HOSTNAME"] = host,
                ["SERVICES_DOMAIN"] = domain,
                ["REVIEWS_SERVICE_PORT"] = port,
            })
            .Build();

        ServiceAddress.Of(configuration, "reviews").ToString().ShouldBe(expected);
    }

    [Fact]
    public void A_port_that_is_none_is_told_by_the_names_of_the_variables()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["REVIEWS_SERVICE_PORT"] = "many" })
            .Build();

        Should.Throw<InvalidOperationException>(() => ServiceAddress.Of(configuration, "reviews")).Message.ShouldContain("REVIEWS_SERVICE_PORT");
    }
}
