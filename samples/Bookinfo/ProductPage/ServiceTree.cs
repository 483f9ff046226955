using Bookinfo.Hosting;

namespace Bookinfo.ProductPage;

/// <summary>Who calls whom, for the table on the first page.</summary>
internal sealed record ServiceTree(string Name, string Endpoint, IReadOnlyList<ServiceTree> Children)
{
    public static ServiceTree Of(IConfiguration configuration)
    {
        ServiceTree Node(string service, params ServiceTree[] children)
            => new(ServiceAddress.Of(configuration, service).ToString().TrimEnd('/'), service, children);

        var details = Node("details");
        // productpage's own row carries the address of details; so it does in Bookinfo.
        return details with { Children = [details, Node("reviews", Node("ratings"))] };
    }
}
