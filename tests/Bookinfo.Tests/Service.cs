using Bookinfo.Details;
using Bookinfo.ProductPage;
using Bookinfo.Ratings;
using Bookinfo.Reviews;
using Mesh;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bookinfo.Tests;

/// <summary>One service of Bookinfo (or any other) on a real port, with nothing of this machine's environment.</summary>
internal sealed class Service : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Service(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Address, Timeout = Guard.Hang };
    }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public static Task<Service> ProductPageAsync(Dictionary<string, string?> environment, TimeProvider? time = null)
        => StartAsync(builder => builder.AddProductPage(), app => app.MapProductPage(), environment, time);

    public static Task<Service> DetailsAsync(Dictionary<string, string?>? environment = null, Uri? books = null, TimeProvider? time = null)
        => StartAsync(
            builder =>
            {
                builder.AddDetails();
                if (books is not null)
                {
                    builder.Services.AddHttpClient(ExternalBooks.Client, client => client.BaseAddress = books);
                }
            },
            app => app.MapDetails(),
            environment,
            time);

    public static Task<Service> ReviewsAsync(Dictionary<string, string?> environment, TimeProvider? time = null)
        => StartAsync(builder => builder.AddReviews(), app => app.MapReviews(), environment, time);

    public static Task<Service> RatingsAsync(string version = "v1", TimeProvider? time = null, IRandomSource? random = null)
        => StartAsync(builder => builder.AddRatings(), app => app.MapRatings(), new() { ["SERVICE_VERSION"] = version }, time, random);

    /// <summary>A server that does what the test says.</summary>
    public static Task<Service> ScriptedAsync(RequestDelegate script) => StartAsync(_ => { }, app => app.Run(script));

    /// <summary>The environment that lets a service find <paramref name="target"/> as <paramref name="name"/>.</summary>
    public static Dictionary<string, string?> Find(string name, Service target) => new()
    {
        [$"{name.ToUpperInvariant()}_HOSTNAME"] = target.Address.Host,
        [$"{name.ToUpperInvariant()}_SERVICE_PORT"] = target.Address.Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
    };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private static async Task<Service> StartAsync(
        Action<WebApplicationBuilder> add,
        Action<WebApplication> map,
        Dictionary<string, string?>? environment = null,
        TimeProvider? time = null,
        IRandomSource? random = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        ((IConfigurationBuilder)builder.Configuration).Sources.Clear();
        builder.Configuration.AddInMemoryCollection(environment);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        if (time is not null)
        {
            builder.Services.AddSingleton(time);
        }

        if (random is not null)
        {
            builder.Services.AddSingleton(random);
        }

        add(builder);
        var app = builder.Build();
        map(app);
        await app.StartAsync();
        return new Service(app);
    }
}
