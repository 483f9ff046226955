namespace Bookinfo.Ratings;

/// <summary>How one request for ratings ends.</summary>
internal enum RatingsOutcome
{
    Ratings,
    Unavailable,
    NoDatabase,
}
