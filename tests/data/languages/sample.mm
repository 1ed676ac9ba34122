#import <Foundation/Foundation.h>
#import "Shop.h"
@import UIKit;

#define LIMIT 10

NS_ASSUME_NONNULL_BEGIN

typedef NS_ENUM(NSInteger, Color) {
    ColorRed,
    ColorGreen,
};
typedef void (^Handler)(int);

@class Item;

@protocol Priced <NSObject>
- (int)price;
@optional
@property (nonatomic) int discount;
@end

@interface Cart : NSObject <Priced> {
    int _count;
}
@property (nonatomic, strong) NSArray<Item *> *items;
+ (instancetype)cartWithOwner:(NSString *)owner;
- (int)total;
@end

@implementation Cart

static int counter = 0;

+ (instancetype)cartWithOwner:(NSString *)owner {
    return [[Cart alloc] initWithOwner:owner];
}

- (instancetype)init {
    self = [super init];
    return self;
}

- (int)total {
    int local = helper(self.items.count);
    return local * LIMIT;
}

- (void)addItem:(Item *)item at:(int)place {
    [self.items addObject:item];
}
@end

@interface Cart (Extra)
- (void)clear;
@end

@implementation Cart (Extra)
- (void)clear { counter = 0; }
@end

NS_ASSUME_NONNULL_END

static int helper(int x) {
    return x + counter;
}
