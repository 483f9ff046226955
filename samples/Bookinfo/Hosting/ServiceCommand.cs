using Bookinfo.ControlPlane;
using Bookinfo.Details;
using Bookinfo.ProductPage;
using Bookinfo.Ratings;
using Bookinfo.Reviews;

namespace Bookinfo.Hosting;

/// <summary>Runs one service of Bookinfo in this process.</summary>
internal static class ServiceCommand
{
    private static readonly Dictionary<string, ServiceRole> Roles = new(StringComparer.Ordinal)
    {
        ["productpage"] = new(builder => builder.AddProductPage(), app => app.MapProductPage(), "details", "reviews", "ratings"),
        ["details"] = new(builder => builder.AddDetails(), app => app.MapDetails()),
        ["reviews"] = new(builder => builder.AddReviews(), app => app.MapReviews(), "ratings"),
        ["ratings"] = new(builder => builder.AddRatings(), app => app.MapRatings()),
    };

    public static async Task<int> RunAsync(string role, string[] args)
    {
        WebApplication app;
        try
        {
            var options = ServiceOptions.Parse(role, args);
            app = role == "control-plane"
                ? ControlPlaneService.Build(options)
                : ServiceHost.Build(options, Roles.TryGetValue(role, out var known) ? known : throw UnknownRole(role));
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }

        await using (app)
        {
            try
            {
                await app.RunAsync();
                return 0;
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException)
            {
                // The host has logged it.
                return 1;
            }
        }
    }

    private static ArgumentException UnknownRole(string role)
        => new($"'{role}' is no service of Bookinfo: control-plane, {string.Join(", ", Roles.Keys)}; without a name all of them are started.");
}
