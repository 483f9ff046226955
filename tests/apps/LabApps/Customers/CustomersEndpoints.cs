using System.Text.Json;

namespace LabApps.Customers;

/// <summary>A list of customers: version 1 knows their names, version 2 where they live as well.</summary>
internal static class CustomersEndpoints
{
    // The names are those of the labs; the cities are nobody's.
    private static readonly (string Name, string City)[] Customers =
    [
        ("Jewel Schaefer", "Seattle"),
        ("Raleigh Larson", "Ljubljana"),
        ("Eloise Senger", "Leipzig"),
        ("Moshe Zieme", "Haifa"),
        ("Filiberto Lubowitz", "Genova"),
        ("Ms.Kadin Kling", "Bergen"),
        ("Jennyfer Bergstrom", "Uppsala"),
        ("Candelario Rutherford", "Valencia"),
        ("Kenyatta Flatley", "Nairobi"),
        ("Gianni Pouros", "Patras"),
    ];

    public static void Map(WebApplication app)
    {
        var withCity = app.Configuration["Mesh:Workload:Version"] == "v2";
        var list = JsonSerializer.SerializeToUtf8Bytes(Customers.Select(customer => withCity
            ? new Dictionary<string, string> { ["city"] = customer.City, ["name"] = customer.Name }
            : new Dictionary<string, string> { ["name"] = customer.Name }));
        app.MapGet("/", () => Results.Bytes(list, "application/json; charset=utf-8"));
    }
}
